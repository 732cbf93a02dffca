import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatShardId, parseShardId, prefixOf, ROOT_REALM, shardHolds, shardOf } from './shard-id.ts'

const paths = fc.uint8Array({ minLength: 32, maxLength: 32 })
const prefixes = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 64 })

describe('the name of a shard', () => {
  test('comes back', () => {
    fc.assert(
      fc.property(fc.nat(ROOT_REALM - 1), prefixes, (realm, prefix) => {
        const id = formatShardId(realm, prefix)
        expect(parseShardId(id)).toEqual({ id, realm, prefix })
      }),
    )
    expect(parseShardId('root')).toEqual({ id: 'root', realm: ROOT_REALM, prefix: '' })
    expect(formatShardId(ROOT_REALM, '')).toBe('root')
  })

  test.each([
    '',
    '0',
    ':',
    ':0',
    '00:',
    '01:1',
    '0:2',
    '0:0 ',
    ' 0:',
    '-1:',
    '4294967295:',
    '9999999999:',
    '0x1:',
    '0:\n',
  ])('%j is none', (id) => {
    expect(() => parseShardId(id)).toThrow(expect.objectContaining({ name: 'CodecError', code: 'MALFORMED' }))
  })

  test('has at most 64 bits of prefix', () => {
    expect(() => parseShardId(`0:${'0'.repeat(65)}`)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })
})

describe('a path', () => {
  test('belongs to the one shard whose prefix it begins with', () => {
    const shards = ['0:0', '0:10', '0:110', '0:111', '5:', 'root'].map(parseShardId)
    fc.assert(
      fc.property(paths, (path) => {
        const found = shardOf(shards, 0, path)
        expect(found?.prefix).toBe(prefixOf(path, found?.prefix.length ?? 0))
        expect(shards.filter((shard) => shardHolds(shard, 0, path))).toEqual([found])
        expect(shardOf(shards, 5, path)?.id).toBe('5:')
        expect(shardOf(shards, ROOT_REALM, path)?.id).toBe('root')
        expect(shardOf(shards, 6, path)).toBeUndefined()
      }),
    )
  })

  test('is read from the highest bit of its first byte', () => {
    const path = new Uint8Array(32)
    path.set([0b1010_0000, 0b1000_0000])
    expect(prefixOf(path, 9)).toBe('101000001')
  })
})
