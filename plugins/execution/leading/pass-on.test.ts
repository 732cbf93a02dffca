import { expect, it } from 'vitest'
import { silentLog } from '../../../server/log.ts'
import { PeerError, RemoteError } from '../../../server/plugin.ts'
import { passOn } from './pass-on.ts'

const wires = Array.from({ length: 1_200 }, (_, i) => Uint8Array.of(i >> 8, i & 255))

/** Passes all on to a leader that answers the calls like this, and gives what each of them brought. */
async function passedOn(...answers: readonly (Error | undefined)[]): Promise<readonly (readonly Uint8Array[])[]> {
  const calls: (readonly Uint8Array[])[] = []
  const call = async (_call: unknown, { wires }: { wires: readonly Uint8Array[] }): Promise<unknown> => {
    const answer = answers[calls.length]
    calls.push(wires)
    if (answer !== undefined) throw answer
    return []
  }
  await passOn({ call: call as never }, wires, silentLog)
  return calls
}

it('brings all of it, in order', async () => {
  const calls = await passedOn()
  expect(calls.length).toBe(3)
  expect(calls.flat()).toEqual(wires)
})

it('brings the rest too if a shard of some does not run yet', async () => {
  expect((await passedOn(new RemoteError('it restarts', 'SHARD_UNAVAILABLE'))).flat()).toEqual(wires)
})

it('ends if that leader goes: the next one gets all of it', async () => {
  expect((await passedOn(undefined, new PeerError('LEADER_LOST', 'it went'))).length).toBe(2)
})
