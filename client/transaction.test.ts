import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { fromHex } from '../protocol/index.ts'
import { keyPairFromSeed } from './keypair.ts'
import { signTransaction, transfer } from './transaction.ts'

test('the bytes of a signed transaction are those of the vectors', async () => {
  const file = new URL('../test/vectors/transaction.json', import.meta.url)
  const [vector] = JSON.parse(await readFile(file, 'utf8')).cases
  const { realm, lane, nonce, validUntil } = vector
  const actions = [transfer(vector.actions[0].to, BigInt(vector.actions[0].value))]
  const fields = {
    network: fromHex(vector.network),
    realm,
    lane,
    nonce,
    validUntil,
    maxFee: BigInt(vector.maxFee),
    actions,
  }
  const made = signTransaction(fields, keyPairFromSeed(vector.seed))
  expect(made).toEqual({ id: vector.id, wire: fromHex(vector.wire) })
})
