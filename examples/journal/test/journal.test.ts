import { action, type Client, cellId, createClient, document, generateKeyPair } from 'deaios/client'
import execution from 'deaios/plugins/execution'
import { createTestHost, pluginContract, type TestHost, until } from 'deaios/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import journal, { Counted, Written } from '../src/index.ts'

const me = generateKeyPair()
let host: TestHost
let client: Client

beforeAll(async () => {
  host = await createTestHost({ plugins: [execution({ genesis: { shards: 1 } }), journal()] })
  client = createClient({ url: (await host.serve()).url, key: me })
  await client.faucet(me.address)
})
afterAll(async () => {
  await client.close()
  await host.stop()
})

/** Signs and sends an entry. Its value pays the deposit for what the cell keeps. */
const write = (text: string) =>
  client.send([
    action({
      to: cellId('journal', me.publicKey, new Uint8Array()),
      call: 'journal.write',
      args: { text },
      value: 10_000n,
    }),
  ])

describe('an entry', () => {
  it('is written by transactions, read live and by queries', async () => {
    const live = client.subscribe(
      document<{ journalWritten: { number: number; text: string } }, object>(
        'subscription { journalWritten { number text } }',
      ),
      {},
    )
    const first = live.next()
    expect(await write('Hello, world!')).toMatchObject({ status: 'EXECUTED' })
    expect((await first).value).toEqual({ journalWritten: { number: 1, text: 'Hello, world!' } })
    await live.return?.()

    await write('And again.')
    const entries = async () =>
      await host.execute(
        `query ($me: Bytes!) { journalEntries(author: $me, last: 1) { edges { node { number text author { address } } } } }`,
        { me: me.address },
      )
    const found = { number: 2, text: 'And again.', author: { address: me.address } }
    await until(async () => JSON.stringify(await entries()).includes('again'), 'the index has it')
    expect(await entries()).toEqual({ data: { journalEntries: { edges: [{ node: found }] } } })
  })

  it('refuses what is too long', async () => {
    await expect(write('x'.repeat(281))).rejects.toMatchObject({ code: 'REFUSED' })
  })

  it('is counted', async () => {
    await host.runJob('journal', 'count')
    expect(await host.published(Counted, 1)).toEqual([{ entries: 2 }])
  })
})

pluginContract(journal(), {
  with: [execution({ genesis: { shards: 1 } })],
  subscriptions: {
    journalWritten: {
      cause: (host, n) => host.publish(Written, { author: me.publicKey, number: n + 1, text: `entry ${n}` }),
    },
  },
})
