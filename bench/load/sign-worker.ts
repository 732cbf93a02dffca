/** Signs the transactions of a load and writes the requests that submit them. */
import { parentPort, workerData } from 'node:worker_threads'
import { encodeTransaction, encodeUnsigned, signingBytes, transactionId } from '../../protocol/index.ts'
import { sign } from '../../server/crypto/ed25519.ts'
import type { LoadSetup } from './messages.ts'
import { Transfers } from './plan.ts'
import { submissionRequest } from './request.ts'
import type { SignedRequest, SignTask } from './signed-requests.ts'

const { plan, form } = workerData as LoadSetup
const transfers = new Transfers(plan)

function signedRequest(request: number): SignedRequest {
  const ids = new Uint8Array(32 * form.perRequest)
  const wires: Uint8Array[] = []
  for (let i = 0; i < form.perRequest; i++) {
    const { fields, key } = transfers.at(request * form.perRequest + i)
    const unsigned = encodeUnsigned(fields)
    ids.set(transactionId(unsigned), 32 * i)
    wires.push(encodeTransaction(unsigned, sign(signingBytes(unsigned), key)))
  }
  return { bytes: submissionRequest(form, wires), ids }
}

parentPort?.on('message', ({ from, to }: SignTask) => {
  const signed = Array.from({ length: to - from }, (_, i) => signedRequest(from + i))
  // Handed over, not copied: `allocUnsafeSlow` gave each a buffer of its own.
  const buffers = signed.flatMap(({ bytes, ids }) => [bytes.buffer, ids.buffer])
  parentPort?.postMessage(
    signed,
    buffers.filter((buffer) => buffer instanceof ArrayBuffer),
  )
})
