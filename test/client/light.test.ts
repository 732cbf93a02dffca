import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  action,
  type Client,
  createClient,
  fromHex,
  generateKeyPair,
  keyPairFromSeed,
  type Light,
  ROOT_REALM,
  toHex,
} from '../../client/index.ts'
import execution from '../../plugins/execution/index.ts'
import { cellPath } from '../../protocol/index.ts'
import { createTestHost, type TestHost } from '../../server/testing/index.ts'
import { CuttingProxy } from '../scenarios/node/cutting-proxy.ts'

const WAIT = { timeout: 30_000, interval: 50 }

let host: TestHost
let url: string
let client: Client
let network: string
let light: Light
const alice = generateKeyPair()
/** An address in that half of realm 0. */
const addressIn = (bit: 0 | 1): string => {
  const { address } = generateKeyPair()
  return (cellPath(fromHex(address))[0] ?? 0) >> 7 === bit ? address : addressIn(bit)
}
const near = addressIn(0)
const far = addressIn(1)

beforeAll(async () => {
  host = await createTestHost({ plugins: [execution({ genesis: { shards: 2 } })] })
  url = (await host.serve()).url
  client = createClient({ url, key: alice })
  await client.waitFor((await client.faucet(alice.address)).id)
  network = (await client.network()).id
  light = await client.light({ trusted: { network } })
})

afterAll(async () => {
  await client?.close()
  await host?.stop()
})

/** A client whose answers are changed on their way. */
const through = (change: (text: string) => string | Promise<string>): Client =>
  createClient({
    url,
    webSocket: null,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      return new Response(await change(await response.text()), { status: response.status })
    },
  })

const invalid = (reason: string) => expect.objectContaining({ code: 'PROOF_INVALID', reason })
const flipped = (hex: string, at: number): string => {
  const bytes = fromHex(hex)
  const place = at % bytes.length
  bytes[place] = (bytes[place] ?? 0) ^ 1
  return toHex(bytes)
}
/** Changes fields of the answers that hold bytes; their names are a pattern. */
const changing = (names: string, change: (hex: string) => string) => (text: string) =>
  text.replace(
    new RegExp(`"(${names})":"(0x[0-9a-f]*)"`, 'g'),
    (_all, name: string, hex: string) => `"${name}":"${change(hex)}"`,
  )

describe('answers of another form than the schema', () => {
  const answering = (data: Record<string, unknown>): Client =>
    through((text) => {
      const answer: { data: Record<string, unknown> } = JSON.parse(text)
      for (const name of Object.keys(data)) if (name in answer.data) answer.data[name] = data[name]
      return JSON.stringify(answer)
    })

  test.each([null, 5, 'x', [], {}, { genesis: 7 }])('%j for what the network is', async (given) => {
    const lied = answering({ network: given }).light({ trusted: { network } })
    await expect(lied).rejects.toThrow(expect.objectContaining({ code: 'PROOF_INVALID' }))
  })

  test.each([null, 5, [null], { header: 1, votes: 2 }, { header: '0x', votes: null }])(
    '%j for a root block',
    async (given) => {
      const lied = answering({ rootBlock: given }).light({ trusted: { network } })
      await expect(lied).rejects.toThrow(expect.objectContaining({ code: 'PROOF_INVALID' }))
    },
  )

  test.each([null, 5, { edges: null }, { edges: [null] }, { edges: [{ node: 5 }] }])(
    '%j for root blocks, and for proofs',
    async (given) => {
      const { header } = light.tip
      const data = { rootBlocks: given, cellProof: given, transaction: { rootedProof: 5 }, block: given, shard: given }
      const liar = answering(data)
      const before = await liar.light({ trusted: { network, header } })
      const wrong = expect.objectContaining({ code: 'PROOF_INVALID' })
      await expect(before.account(alice.address)).rejects.toThrow(wrong)
      await expect(before.transaction(alice.address)).rejects.toThrow(wrong)
      await expect(before.block({ shard: '0:0', height: 0 })).rejects.toThrow(wrong)
      await expect(before.split('0:0')).rejects.toThrow(wrong)
      await liar.close()
    },
  )
})

describe('a light client', () => {
  test('follows the root chain', async () => {
    const heights: number[] = []
    const roots = light.roots()
    await client.transfer(alice.address, 1n)
    await client.transfer(alice.address, 1n)
    for await (const { height, header } of roots) {
      expect(header.length).toBeGreaterThan(200)
      heights.push(height)
      if (heights.length === 3) break
    }
    expect(heights.map((height) => height - (heights[0] ?? 0))).toEqual([0, 1, 2])
    expect(light.tip.height).toBeGreaterThanOrEqual(heights[2] ?? 0)
  })

  test('proves accounts of every shard, and those that nobody used', async () => {
    for (const to of [near, far]) {
      await client.transfer(to, 5n)
      const account = await light.account(to)
      expect(account).toMatchObject({ address: to, balance: 5n, lanes: new Map() })
      expect(account.block?.shard).toBe(to === near ? '0:0' : '0:1')
      expect(account.root.height).toBeLessThanOrEqual(light.tip.height)
    }
    const own = await light.account(alice.address)
    expect(own.balance).toBe((await client.account(alice.address))?.balance)
    expect(own.lanes).toEqual(new Map([[0, 4]]))
    const { address } = generateKeyPair()
    expect(await light.account(address)).toMatchObject({ balance: 0n })
    expect((await light.cell(address)).cell).toBeUndefined()
    expect((await light.cell(near)).cell).toMatchObject({ owner: 'account', balance: 5n })
  })

  test('proves what a block made of a transaction, the block, and all that it sent', async () => {
    const sent = await client.transfer(far, 1n)
    const proven = await light.transaction(sent.id)
    expect(proven).toMatchObject({ id: sent.id, fee: sent.fee })
    const isAway = sent.shard === '0:0'
    expect(proven?.actions).toEqual([{ status: isAway ? 'SENT' : 'DONE', error: undefined }])
    const at = { shard: sent.shard ?? '', height: sent.height ?? -1 }
    expect(await light.block(at)).toMatchObject({ ...at, txCount: 1, block: at })
    const { messages } = await light.messages(at, '0:1')
    // The fee goes to the treasury, wherever that is.
    expect(messages.filter(({ value }) => value === 1n).map(({ call }) => call)).toEqual(
      isAway ? ['account.credit'] : [],
    )
    expect((await light.messages(at, '9:')).messages).toEqual([])
    expect(await light.transaction(alice.address)).toBeUndefined()
  })

  test('proves what the root chain has, exports and sends', async () => {
    expect((await light.exported('shard/0:1')).value).toMatchObject({ from: 0, parent: null })
    expect((await light.exported('shard/0:111')).value).toBeUndefined()
    expect((await light.cell(near, { realm: ROOT_REALM })).cell).toBeUndefined()
    const from = { shard: 'root', height: light.tip.height }
    expect((await light.messages(from, '0:1')).messages).toEqual([])
  })

  test('proves a split, and reads on', async () => {
    await client.transfer(near, 1n)
    const [file = ''] = (await readdir(host.dataDir, { recursive: true })).filter((name) =>
      name.endsWith('operator.key'),
    )
    const seed = (await readFile(join(host.dataDir, file), 'utf8')).trim()
    const operator = createClient({ url, key: keyPairFromSeed(seed) })
    const call = action({ to: near, realm: ROOT_REALM, call: 'shard.split', args: { shard: '0:0' } })
    expect(await operator.send([call])).toMatchObject({ status: 'EXECUTED' })
    await operator.close()
    await vi.waitFor(async () => expect((await light.account(near)).block?.shard).toMatch(/^0:0[01]$/), WAIT)
    const { parent, children } = await light.split('0:0')
    expect(parent.shard).toBe('0:0')
    expect(children.map(({ shard, height }) => [shard, height])).toEqual([
      ['0:00', parent.height + 1],
      ['0:01', parent.height + 1],
    ])
    expect((await light.account(near)).block?.shard).toMatch(/^0:0[01]$/)
    await client.transfer(near, 1n)
    expect((await light.account(near)).balance).toBe((await client.account(near))?.balance)
    await expect(light.split('0:1')).rejects.toThrow(invalid('MISSING'))
  })

  test('works without a WebSocket, and begins where another ended', async () => {
    const asking = createClient({ url, webSocket: null })
    const later = await asking.light({ trusted: { network, header: light.tip.header } })
    await client.transfer(near, 1n)
    expect((await later.account(near)).balance).toBe((await client.account(near))?.balance)
    expect(later.tip.height).toBeGreaterThan(0)
    await asking.close()
    await expect(later.account(near)).rejects.toThrow()
    expect(await later.roots().next()).toEqual({ done: true, value: undefined })
  })
})

test('misses no root block while its connection is cut and the node starts again', async () => {
  const proxy = await CuttingProxy.to(url)
  const other = createClient({ url: proxy.url })
  const following = await other.light({ trusted: { network } })
  const heights: number[] = []
  for await (const { height } of following.roots()) {
    heights.push(height)
    if (heights.length <= 2) proxy.cut()
    if (heights.length === 3) {
      await client.close()
      await host.restart()
      url = (await host.serve()).url
      client = createClient({ url, key: alice })
      light = await client.light({ trusted: { network, header: following.tip.header } })
      proxy.lead(url)
    }
    if (heights.length === 6) break
  }
  expect(heights).toEqual(heights.map((_, i) => (heights[0] ?? 0) + i))
  expect((await following.account(near)).balance).toBe((await light.account(near)).balance)
  await other.close()
  await proxy.close()
})

test('goes on behind root blocks that the node does not have, by the votes', async () => {
  const { header, height } = light.tip
  // Each makes root blocks.
  while (light.tip.height <= height + 2) await client.transfer(near, 1n)
  // As a node that began from a snapshot.
  const forgetful = through((text) => {
    const answer = JSON.parse(text)
    if (answer.data?.rootBlocks?.edges.length > 1) answer.data.rootBlocks.edges.shift()
    return JSON.stringify(answer)
  })
  const later = await forgetful.light({ trusted: { network, header } })
  expect((await later.account(near)).balance).toBe((await light.account(near)).balance)
  expect(later.tip.height).toBeGreaterThan(height + 2)
  await forgetful.close()
})

describe('a chain that contradicts what is trusted', () => {
  test('is a fork, and ends everything', async () => {
    // As if the validators had once voted for another block of that height.
    const header = light.tip.header.slice()
    header[header.length - 1] = (header.at(-1) ?? 0) ^ 1
    const betrayed = await client.light({ trusted: { network, header } })
    const { height } = betrayed.tip
    const fork = expect.objectContaining({ code: 'FORK', reason: String(height) })
    await vi.waitFor(() => expect(() => betrayed.tip).toThrow(fork), WAIT)
    await expect(betrayed.account(near)).rejects.toThrow(fork)
    await expect(betrayed.exported('shard/0:1')).rejects.toThrow(fork)
    await expect(betrayed.roots().next()).rejects.toThrow(fork)
    await betrayed.close()
  })
})

describe('a node that lies', () => {
  test('about the network is found out', async () => {
    const wrong = through(changing('genesis', (hex) => flipped(hex, 40)))
    await expect(wrong.light({ trusted: { network } })).rejects.toThrow(invalid('GENESIS'))
    await expect(client.light({ trusted: { network: alice.address } })).rejects.toThrow(invalid('GENESIS'))
  })

  test('about votes or headers is found out', async () => {
    const noVotes = through(changing('votes', () => '0x80'))
    await expect(noVotes.light({ trusted: { network } })).rejects.toThrow(invalid('VOTES'))
    const badVotes = through(changing('votes', (hex) => flipped(hex, fromHex(hex).length - 1)))
    await expect(badVotes.light({ trusted: { network } })).rejects.toThrow(invalid('VOTES'))
    const badHeader = through(changing('header', (hex) => flipped(hex, fromHex(hex).length - 1)))
    await expect(badHeader.light({ trusted: { network } })).rejects.toThrow(invalid('VOTES'))
  })

  test('about anything that is proven is found out, whatever byte it changes', async () => {
    let at = 0
    const liar = through(
      changing('cellProof|rootedProof|rootProof|messagesProof|exportProof', (hex) => flipped(hex, at)),
    )
    const deceived = await liar.light({ trusted: { network } })
    const sent = await client.transfer(far, 1n)
    const place = { shard: sent.shard ?? '', height: sent.height ?? -1 }
    for (at = 0; at < 600; at += 23) {
      for (const lie of [
        () => deceived.account(near),
        () => deceived.transaction(sent.id),
        () => deceived.block(place),
        () => deceived.messages(place, '0:1'),
        () => deceived.exported('shard/0:0'),
      ])
        await expect(lie()).rejects.toThrow(expect.objectContaining({ code: 'PROOF_INVALID' }))
    }
    await liar.close()
  })

  test('by an older state, however true it was, is found out', async () => {
    const answers: string[] = []
    let replayed: string | undefined
    const replaying = through((text) => {
      if (text.includes('"cellProof"')) answers.push(text)
      return text.includes('"cellProof"') ? (replayed ?? text) : text
    })
    const deceived = await replaying.light({ trusted: { network } })
    const old = await deceived.account(near)
    await client.transfer(near, 1n)
    expect((await deceived.account(near)).balance).toBe(old.balance + 1n)
    replayed = answers[0]
    await expect(deceived.account(near)).rejects.toThrow(invalid('STALE'))
    await replaying.close()
  })

  test('by hiding root blocks comes to an end', async () => {
    let isHiding = false
    const hiding = through((text) =>
      isHiding && text.includes('"rootBlocks"') ? '{"data":{"rootBlocks":{"edges":[]}}}' : text,
    )
    const deceived = await hiding.light({ trusted: { network } })
    isHiding = true
    await client.transfer(near, 1n)
    await expect(deceived.account(near)).rejects.toThrow(invalid('MISSING'))
    await hiding.close()
  })
})
