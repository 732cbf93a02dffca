import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256, trieRoot } from '../../../protocol/index.ts'
import { deferredTrie } from './deferred-trie.ts'

it('is the trie of the messages that wait, in whatever order they came', () => {
  const keys = fc.uniqueArray(fc.uint8Array({ minLength: 40, maxLength: 40 }), { maxLength: 30, selector: String })
  fc.assert(
    fc.property(keys, (arrived) => {
      // Only their bytes count here, so any message will do.
      const waiting = arrived.map((key) => ({ key, encoded: key, message: {} as never }))
      const entries = arrived.map((key) => ({ key, valueHash: sha256(key) }))
      expect(deferredTrie(waiting, 0).root).toEqual(trieRoot(entries, 0))
    }),
  )
})
