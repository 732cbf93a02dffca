import { describe, expect, it } from 'vitest'
import { ClientError } from '../client/index.ts'
import { eventually } from './root-call.ts'

describe('what a command waits for', () => {
  it('is looked for again while the node is away, and no other error is passed over', async () => {
    const seen = [new ClientError('UNREACHABLE', 'it starts again'), undefined, 7]
    const look = async (): Promise<number | undefined> => {
      const next = seen.shift()
      if (next instanceof Error) throw next
      return next
    }
    expect(await eventually('it', 60, look)).toBe(7)
    const refused = new ClientError('GRAPHQL', 'no such field')
    await expect(eventually('it', 60, () => Promise.reject(refused))).rejects.toBe(refused)
  })

  it('is given up on in time, whether the node answers or not', async () => {
    const away = new ClientError('UNREACHABLE', 'it is gone')
    await expect(eventually('it', 0, () => Promise.reject(away))).rejects.toMatchObject({
      code: 'TIMEOUT',
      cause: away,
    })
    await expect(eventually('it', 0, async () => undefined)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})
