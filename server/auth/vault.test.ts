import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { ANONYMOUS } from '../../schema/index.ts'
import { keyFromSeed, verify } from '../crypto/ed25519.ts'
import { silentLog } from '../log.ts'
import { givenMasterKeys, masterKeyFile, newMasterKey } from './master-keys.ts'
import { Vault } from './vault.ts'

const folder = mkdtempSync(join(tmpdir(), 'deaios-vault-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const path = (): string => join(folder, `key-${++files}`)
const seedOf = (byte: number): Buffer => Buffer.alloc(32, byte)

describe('the vault', () => {
  const vault = new Vault(masterKeyFile(path()))

  test('signs with what it sealed, as the secret itself would', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 200 }),
        (seed, message) => {
          const { publicKey } = keyFromSeed(seed)
          const sealed = vault.seal(seed, publicKey)
          expect(verify(vault.sign(message, publicKey, sealed), message, publicKey)).toBe(true)
          expect(vault.reveal(publicKey, sealed)).toBe(`0x${Buffer.from(seed).toString('hex')}`)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('seals differently each time, and shows nothing of the secret', () => {
    const seed = seedOf(7)
    const { publicKey } = keyFromSeed(seed)
    const [a, b] = [vault.seal(seed, publicKey), vault.seal(seed, publicKey)]
    expect(a.sealed).not.toEqual(b.sealed)
    expect(Buffer.from(a.sealed).includes(seed.subarray(0, 8))).toBe(false)
  })

  test("does not open one account's secret as another's: whoever writes the table gains nothing", () => {
    const [mine, theirs] = [keyFromSeed(seedOf(1)).publicKey, keyFromSeed(seedOf(2)).publicKey]
    const sealed = vault.seal(seedOf(2), theirs)
    expect(() => vault.sign(Buffer.from('x'), mine, sealed)).toThrow(
      expect.objectContaining({ code: 'KEYSTORE_DAMAGED' }),
    )
  })

  test('notices any change of what is stored', () => {
    const { publicKey } = keyFromSeed(seedOf(3))
    const { sealed, under } = vault.seal(seedOf(3), publicKey)
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => vault.reveal(publicKey, { sealed: changed, under })).toThrow(
        expect.objectContaining({ code: 'KEYSTORE_DAMAGED' }),
      )
    }
  })

  test('says which master key is missing, and not what any is', () => {
    const { publicKey } = keyFromSeed(seedOf(4))
    const other = newMasterKey()
    const sealed = vault.seal(seedOf(4), publicKey, other)
    expect(() => vault.reveal(publicKey, sealed)).toThrow(new RegExp(`master key ${other.id}, which is not in`))
  })

  test('finds a key that was added to the file after it was read', () => {
    const file = path()
    const source = masterKeyFile(file)
    const late = new Vault(source)
    const { publicKey } = keyFromSeed(seedOf(5))
    const { current } = late
    const next = newMasterKey()
    source.write([next, current])
    expect(late.reveal(publicKey, late.seal(seedOf(5), publicKey, next))).toBe(`0x${seedOf(5).toString('hex')}`)
  })
})

describe('the file of master keys', () => {
  test('is made at its first use, for its owner only, and stays', () => {
    const file = path()
    const [first] = masterKeyFile(file).read()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(masterKeyFile(file).read()).toEqual([first])
    expect(first?.bytes).toHaveLength(32)
  })

  test('is refused when everybody can read it', () => {
    const file = path()
    masterKeyFile(file).read()
    chmodSync(file, 0o644)
    expect(() => masterKeyFile(file).read()).toThrow(expect.objectContaining({ code: 'KEYSTORE_KEY_BAD' }))
  })

  test.each(['', 'abc', `${'0'.repeat(63)}g`, `${'0'.repeat(64)}\nmore`])(
    'is refused with anything else in it, which is not repeated: %j',
    (text) => {
      const file = path()
      writeFileSync(file, text, { mode: 0o600 })
      const read = () => masterKeyFile(file).read()
      expect(read).toThrow(expect.objectContaining({ code: 'KEYSTORE_KEY_BAD' }))
      expect(read).toThrow(/64 hex digits, and nothing else/)
      expect(readFileSync(file, 'utf8')).toBe(text)
    },
  )

  test('can be an environment variable with several keys, the first of which seals', () => {
    const source = givenMasterKeys(`${'a'.repeat(64)},${'b'.repeat(64)}`, 'DEAIOS_KEYSTORE_KEY')
    const [first, second] = source.read()
    expect(new Vault(source).current).toEqual(first)
    expect(second?.id).not.toBe(first?.id)
    expect(() => source.write([])).toThrow(/DEAIOS_KEYSTORE_KEY, which only you can change/)
  })
})

describe('custody', () => {
  test('signs what has a domain, and never a sign-in', async () => {
    const { makeCustody } = await import('./custody.ts')
    const custody = makeCustody(
      new Vault(masterKeyFile(path())),
      { now: () => 0, sleep: () => Promise.resolve() },
      silentLog,
    )
    const principal = { ...ANONYMOUS, kind: 'key' as const, account: new Uint8Array(32), can: () => true }
    // No transaction is touched before the message is judged.
    const tx = Object.create(null)
    for (const text of ['', 'hello', 'deaios/tx/1', 'xdeaios/tx/1\0', 'deaios/sign-in/1\0abc'])
      await expect(custody.sign(tx, principal, { message: Buffer.from(text), calls: [], spends: 0n })).rejects.toThrow(
        /^custody signs/,
      )
  })
})
