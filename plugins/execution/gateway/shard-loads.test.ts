import { expect, it } from 'vitest'
import { cellPath, type Message, ROOT_REALM } from '../../../protocol/index.ts'
import type { BlockOutgoing } from '../root/feeder.ts'
import { OutBox } from '../shard/out-box.ts'
import { indexOut } from '../shard/out-index.ts'
import { allowance } from '../shard/throttle.ts'
import { ShardLoads } from './shard-loads.ts'

const id = new Uint8Array(32)
const message: Message = {
  ...{ kind: 'call', origin: id, action: 0, from: id, fromRealm: 0, module: 'account', to: id, realm: 0 },
  ...{ call: 'shard.split', args: {}, value: 0n, payer: id, payerRealm: 0, code: '' },
}

/** What a block sent: so many messages to the root chain, among ten others. */
function sent(toRoot: number): BlockOutgoing {
  const box = new OutBox()
  for (let i = 0; i < 10; i++) box.add(cellPath(id), message)
  for (let i = 0; i < toRoot; i++) box.add(cellPath(id), { ...message, realm: ROOT_REALM })
  const { items, bytes } = box.finish()
  return { shard: '0:0', height: 1, bytes, index: indexOut(items) }
}

it('tells shards to hold back what goes to the root chain while that has too much to do', () => {
  const loads = new ShardLoads(1n)
  loads.noteRoot([sent(200), sent(0), sent(200)])
  expect([loads.root, loads.congested]).toEqual([80, []])
  loads.noteRoot([sent(400), sent(600)])
  expect(loads.congested).toEqual([{ shard: 'root', congestion: 200, senders: 0 }])
  loads.noteRoot([sent(1500)])
  expect(loads.congested.map(allowance)).toEqual([0])
  loads.noteRoot([])
  expect([loads.root, loads.congested]).toEqual([0, []])
})
