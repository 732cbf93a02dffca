/** Checks formats and signatures, off the main thread. */
import { parentPort, workerData } from 'node:worker_threads'
import {
  cellPath,
  decodeTransaction,
  signingBytesOf,
  type Transaction,
  TransactionError,
} from '../../../protocol/index.ts'
import { verify } from '../../../server/crypto/ed25519.ts'
import { REFUSAL_CODES } from '../refusals.ts'
import { wiresOf } from '../shard/batch.ts'
import type { VerifyRequest, VerifyResponse } from './pool.ts'

const network: Uint8Array = (workerData as { network: Uint8Array }).network

parentPort?.on('message', (request: VerifyRequest) => {
  const response = check(request)
  const { results, ids, realms, pathBits, data } = response
  parentPort?.postMessage(response, [results.buffer, ids.buffer, realms.buffer, pathBits.buffer, data.buffer])
})

function check(request: VerifyRequest): VerifyResponse {
  const count = request.lengths.length
  const results = new Uint8Array(count)
  const ids = new Uint8Array(32 * count)
  const realms = new Uint32Array(count)
  const pathBits = new Uint32Array(count)
  const messages: [number, string][] = []
  let index = 0
  for (const wire of wiresOf(request)) {
    const found = read(wire)
    if ('code' in found) {
      results[index] = 1 + REFUSAL_CODES.indexOf(found.code)
      messages.push([index, found.message])
    } else {
      ids.set(found.id, 32 * index)
      realms[index] = found.realm
      pathBits[index] = first32Bits(cellPath(found.sender))
      if (!verify(found.signature, signingBytesOf(found), found.key)) {
        results[index] = 1 + REFUSAL_CODES.indexOf('BAD_SIGNATURE')
      }
    }
    index++
  }
  return { request: request.request, results, ids, realms, pathBits, messages, data: request.data }
}

function read(wire: Uint8Array): Transaction | TransactionError {
  try {
    return decodeTransaction(wire, { network })
  } catch (error) {
    if (error instanceof TransactionError) return error
    throw error
  }
}

const first32Bits = (path: Uint8Array): number =>
  ((path[0]! << 24) | (path[1]! << 16) | (path[2]! << 8) | path[3]!) >>> 0
