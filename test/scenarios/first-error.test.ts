import { describe, expect, it } from 'vitest'
import { thenClose, withLastWords } from './first-error.ts'

const fails = (message: string) => async () => {
  throw new RangeError(message)
}

describe('a scenario that fails', () => {
  it('tells what went wrong first, not what came of it', async () => {
    const closed: string[] = []
    const close = async () => void closed.push('closed')
    await expect(thenClose(fails('first'), fails('second'))).rejects.toThrow('first')
    await expect(thenClose(fails('first'), close)).rejects.toThrow('first')
    await expect(thenClose(async () => 'played', fails('second'))).rejects.toThrow('second')
    expect(await thenClose(async () => 'played', close)).toBe('played')
    expect(closed).toEqual(['closed', 'closed'])
  })

  it('tells what its processes said last', async () => {
    const [one, other] = [{ lastWords: 'adieu' }, { lastWords: 'farewell' }]
    const failing = withLastWords({ one, other }, fails('lost'))
    await expect(failing).rejects.toThrow('lost\n\none: adieu\n\nother: farewell')
    await expect(failing).rejects.toMatchObject({ cause: new RangeError('lost') })
  })
})
