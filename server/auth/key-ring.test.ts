import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { testClock } from '../testing/test-clock.ts'
import { CONSOLE, createKey } from './keys.ts'
import { createIdentities, type Identities } from './testing/identities.ts'

const until = (check: () => unknown) => vi.waitUntil(check, { timeout: 20_000, interval: 10 })

let identities: Identities
beforeAll(async () => {
  identities = await createIdentities()
})
afterAll(() => identities.stop())

const refused = { code: 'UNAUTHENTICATED' }

describe('a key that was seen before', () => {
  test('is answered at once, without a wait', async () => {
    const { identity, ask } = await identities.node()
    const { token, id } = await identities.key({ scopes: ['a:b'] })
    expect(await ask(token)).toMatchObject({ kind: 'key', id })
    const known = identity.authenticate({ authorization: `bearer  ${token}`, address: 'x' })
    expect(known).not.toBeInstanceOf(Promise)
    expect(known).toBe(await ask(token))
  })

  test('shares its access with nobody', async () => {
    const { ask } = await identities.node()
    const [a, b] = [await identities.key(), await identities.key()]
    expect(await ask(a.token)).toMatchObject({ access: `key:${a.id}` })
    expect(await ask(b.token)).toMatchObject({ access: `key:${b.id}` })
  })
})

describe('a key that is revoked on one node', () => {
  test('is none on any other from when they hear of it, and what it had open ends', async () => {
    const [here, there] = [await identities.node(), await identities.node()]
    const { token, id } = await identities.key()
    for (const node of [here, there]) expect(await node.ask(token)).toMatchObject({ id })
    await identities.revoke(id)
    for (const node of [here, there]) {
      await until(() => node.ended.includes(`key:${id}`))
      expect(await node.ask(token)).toEqual(refused)
    }
  })

  test('takes with it what was made by it, and by that, even where only those were seen', async () => {
    const node = await identities.node()
    const parent = await identities.key({ scopes: ['keys:write'] })
    const maker = { ...CONSOLE, id: parent.id, scopes: new Set(['keys:write']) }
    const child = await identities.sql.begin((tx) =>
      createKey(
        tx,
        maker,
        { name: 'c', account: null, scopes: [], expiresAt: null, rate: null, capTotal: null, capDaily: null },
        Date.now(),
        { rate: { perSecond: 1, burst: 1 } },
      ),
    )
    expect(await node.ask(child.token)).toMatchObject({ id: child.key.id })
    await identities.revoke(parent.id)
    await until(() => node.ended.includes(`key:${child.key.id}`))
    expect(await node.ask(child.token)).toEqual(refused)
    expect(await (await identities.node()).ask(child.token)).toEqual(refused)
  })

  test('is found out about when the notice was lost', async () => {
    const node = await identities.node()
    const { token, id } = await identities.key()
    expect(await node.ask(token)).toMatchObject({ id })
    await identities.sql`update core.api_key set revoked_at = now() where id = ${id}`
    await until(() => node.ended.includes(`key:${id}`))
    expect(await node.ask(token)).toEqual(refused)
  })

  test('is not remembered by a look-up that was under way', async () => {
    const node = await identities.node()
    const { token, id } = await identities.key()
    const asked = node.ask(token)
    await node.identity.revoked(id)
    await asked
    await identities.sql`update core.api_key set revoked_at = now() - interval '1 day' where id = ${id}`
    expect(await node.ask(token)).toEqual(refused)
  })

  test('stays revoked when its row is gone, with what came from it', async () => {
    const node = await identities.node()
    const { token, id } = await identities.key()
    await identities.sql`update core.api_key set ancestors = array['0000000000000000'] where id = ${id}`
    expect(await node.ask(token)).toEqual(refused)
  })
})

describe('a node whose database does not answer', () => {
  test('says that it cannot tell, for keys that it does not know', async () => {
    const node = await identities.node()
    const { token } = await identities.key()
    await node.identity.stop()
    await node.sql.end({ timeout: 0 })
    expect(await node.ask(token)).toEqual({ code: 'UNAVAILABLE' })
  })
})

describe('a key that expires', () => {
  test('ends what it has open, though nobody asks', async () => {
    const clock = testClock(Date.now())
    const node = await identities.node({ clock })
    const { token, id } = await identities.key({ expiresAt: new Date(Date.now() + 3_600_000) })
    expect(await node.ask(token)).toMatchObject({ id })
    await clock.advance(3_700_000)
    await until(() => node.ended.includes(`key:${id}`))
  })
})

describe('rates', () => {
  test('a key asks as often as it may, and is told when to come again', async () => {
    const clock = testClock()
    const node = await identities.node({ clock })
    const { token, id } = await identities.key({ rate: { perSecond: 2, burst: 3 } })
    for (let n = 0; n < 3; n++) expect(await node.ask(token)).toMatchObject({ id })
    expect(await node.ask(token)).toEqual({ code: 'RATE_LIMITED' })
    await clock.advance(500)
    expect(await node.ask(token)).toMatchObject({ id })
    expect(await node.ask(token)).toEqual({ code: 'RATE_LIMITED' })
    expect(() => node.identity.authenticate({ authorization: `Bearer ${token}`, address: '' })).toThrow(
      expect.objectContaining({ extensions: { code: 'RATE_LIMITED', retryAfter: 1 } }),
    )
  })

  test('what a key makes counts against it: many children ask no more than their maker', async () => {
    const node = await identities.node({ clock: testClock() })
    const parent = await identities.key({ rate: { perSecond: 1, burst: 4 } })
    const children = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = await identities.key({ rate: { perSecond: 1, burst: 100 } })
        await identities.sql`update core.api_key set ancestors = ${[parent.id]} where id = ${child.id}`
        return child
      }),
    )
    const answers = []
    for (let round = 0; round < 3; round++) for (const { token } of children) answers.push(await node.ask(token))
    expect(answers.filter((answer) => 'kind' in answer)).toHaveLength(4)
  })

  test('strangers are paced by their address; IPv6 by its network; this machine is not', async () => {
    const node = await identities.node({ clock: testClock(), limits: { requestsPerSecond: 1, requestsAtOnce: 2 } })
    const asks = async (...addresses: string[]) => {
      const answers = []
      for (const address of addresses) answers.push(await node.ask(undefined, address))
      return answers.map((answer) => ('kind' in answer ? 'ok' : answer.code))
    }
    expect(await asks('198.51.100.1', '198.51.100.1', '198.51.100.1', '198.51.100.2')).toEqual([
      ...['ok', 'ok', 'RATE_LIMITED', 'ok'],
    ])
    expect(await asks('2001:db8::1', '2001:db8:0:0:1::2', '2001:0db8::3:4', '2001:db8:0:1::1')).toEqual([
      ...['ok', 'ok', 'RATE_LIMITED', 'ok'],
    ])
    expect(await asks('::ffff:198.51.100.9', '::ffff:198.51.100.8', '::ffff:198.51.100.9')).toEqual(['ok', 'ok', 'ok'])
    expect(
      await asks(...Array.from({ length: 5 }, () => '127.0.0.1'), '::1', '::1', '::1', '::ffff:127.0.0.1'),
    ).toEqual(Array.from({ length: 9 }, () => 'ok'))
  })

  test('guessing keys ends soon, for the address that guesses; keys that are known still work', async () => {
    const node = await identities.node({ clock: testClock() })
    const { token, id } = await identities.key()
    expect(await node.ask(token)).toMatchObject({ id })
    const guesses = await Promise.all(
      Array.from({ length: 250 }, (_, n) => node.ask(`dk_${String(n).padStart(16, '0')}_${'0'.repeat(64)}`)),
    )
    expect(guesses.filter((answer) => 'code' in answer && answer.code === 'RATE_LIMITED').length).toBeGreaterThan(40)
    expect(await node.ask(token)).toMatchObject({ id })
    expect(await node.ask('a.b.c', '198.51.100.99')).toEqual(refused)
  })

  test('X-Forwarded-For is believed only from proxies of the operator', async () => {
    const limits = { requestsPerSecond: 1, requestsAtOnce: 1 }
    const open = await identities.node({ clock: testClock(), limits })
    expect(await open.ask(undefined, '198.51.100.1', '203.0.113.1')).toMatchObject({ kind: 'anonymous' })
    expect(await open.ask(undefined, '198.51.100.1', '203.0.113.2')).toEqual({ code: 'RATE_LIMITED' })
    const behind = await identities.node({ clock: testClock(), limits, config: { trustedProxies: 1 } })
    expect(await behind.ask(undefined, '127.0.0.1', 'evil, 203.0.113.1')).toMatchObject({ kind: 'anonymous' })
    expect(await behind.ask(undefined, '127.0.0.1', 'other, 203.0.113.1')).toEqual({ code: 'RATE_LIMITED' })
    expect(await behind.ask(undefined, '127.0.0.1', '127.0.0.1, 203.0.113.2')).toMatchObject({ kind: 'anonymous' })
  })
})
