import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSecret, secretIn } from './secret.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-secret-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the secret of a shard host', () => {
  it('is refused where others can read it, or could change it', async () => {
    const file = join(folder, 'open')
    await secretIn(file)
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(file, mode)
      const refusal = { code: 'SECRET_FILE', message: expect.stringContaining(`chmod 600 ${file}`) }
      await expect(readSecret(file)).rejects.toMatchObject(refusal)
      await expect(secretIn(file)).rejects.toMatchObject(refusal)
    }
  })
})
