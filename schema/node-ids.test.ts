import { describe, expect, it } from 'vitest'
import { NodeIds } from './node-ids.ts'

describe('the ids of nodes', () => {
  const ids = new NodeIds()
  ids.plain('Shard', /^\d+:[01]*$/)

  it('hold type and key', () => {
    const id = ids.encode('Block', '0:1/7')
    expect(id).toMatch(/^[A-Za-z0-9+/=]+$/)
    expect(ids.decode(id)).toEqual({ typename: 'Block', id: '0:1/7' })
  })

  it('are the keys themselves where these cannot be mistaken', () => {
    expect(ids.encode('Shard', '0:01')).toBe('0:01')
    expect(ids.decode('0:01')).toEqual({ typename: 'Shard', id: '0:01' })
  })

  it.each(['', 'x', '0:2', Buffer.from('Shard:0:01').toString('base64'), Buffer.from('Block:').toString('base64')])(
    'are not %j',
    (id) => {
      expect(() => ids.decode(id)).toThrow(expect.objectContaining({ extensions: { code: 'BAD_ID' } }))
    },
  )
})
