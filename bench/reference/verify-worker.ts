/** Checks signatures for some seconds and tells how many it made a second. */
import { parentPort, workerData } from 'node:worker_threads'
import { encodeUnsigned, signingBytes } from '../../protocol/index.ts'
import { sign, verify } from '../../server/crypto/ed25519.ts'
import { type LoadPlan, Transfers } from '../load/plan.ts'

export interface VerifyTask {
  readonly plan: LoadPlan
  readonly seconds: number
}

/** As many keys as there are accounts to sign would only take longer to make: these already leave no cache warm. */
const KEYS = 500

const { plan, seconds } = workerData as VerifyTask
const transfers = new Transfers({ ...plan, accounts: KEYS })
const signed = Array.from({ length: KEYS }, (_, number) => {
  const { fields, key } = transfers.at(number)
  const message = signingBytes(encodeUnsigned(fields))
  return { message, signature: sign(message, key), key: key.publicKey }
})

function measure(ms: number): number {
  const started = performance.now()
  let count = 0
  while (performance.now() - started < ms) {
    for (let i = 0; i < 50; i++) {
      const { message, signature, key } = signed[count % KEYS]!
      if (!verify(signature, message, key)) throw new TypeError('a good signature was found bad')
      count++
    }
  }
  return (1000 * count) / (performance.now() - started)
}

parentPort?.once('message', () => parentPort?.postMessage(measure(1000 * seconds)))
parentPort?.postMessage('ready')
