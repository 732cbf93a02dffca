import { generateKeyPair } from 'deaios/client'
import execution from 'deaios/plugins/execution'
import { createTestHost, pluginContract, type TestHost, until } from 'deaios/testing'
import journal, { Written } from 'deaios-journal'
import { afterAll, beforeAll, it } from 'vitest'
import authors from '../src/index.ts'

const [ann, bob] = [generateKeyPair(), generateKeyPair()]
let host: TestHost

beforeAll(async () => {
  host = await createTestHost({ plugins: [execution({ genesis: { shards: 1 } }), journal(), authors()] })
})
afterAll(() => host.stop())

const counts = async () => {
  const { data } = await host.execute(
    `query ($ann: Bytes!, $bob: Bytes!) {
      ann: account(address: $ann) { journalEntries }
      bob: account(address: $bob) { journalEntries }
      journalEntries { edges { node { text authorEntries } } }
    }`,
    { ann: ann.address, bob: bob.address },
  )
  return data
}

it('counts what each author has written, over restarts too', async () => {
  for (const text of ['one', 'two'])
    await host.publish(Written, { author: ann.publicKey, number: text === 'one' ? 1 : 2, text: `${text} of Ann's` })
  await host.restart()
  await host.publish(Written, { author: bob.publicKey, number: 1, text: "Bob's" })
  const expected = {
    ann: { journalEntries: 2 },
    bob: { journalEntries: 1 },
    journalEntries: {
      edges: [
        { node: { text: "one of Ann's", authorEntries: 2 } },
        { node: { text: "two of Ann's", authorEntries: 2 } },
        { node: { text: "Bob's", authorEntries: 1 } },
      ],
    },
  }
  await until(async () => JSON.stringify(await counts()) === JSON.stringify(expected), 'all is counted')
})

pluginContract(authors(), { with: [execution({ genesis: { shards: 1 } }), journal()] })
