import { describe, expect, test } from 'vitest'
import { Broadcast, GONE, type Member, type Source } from './broadcast.ts'
import { Message } from './message.ts'
import { Retained } from './retained.ts'

/** A source that gives results when it is told to. */
class Told implements Source {
  readonly #ready: Message[] = []
  #wanted: ((message: Message | undefined) => void) | undefined
  isClosed = false

  tell(howMany: number, bytes = 10): void {
    for (let i = 0; i < howMany; i++) {
      const message = new Message({ data: { text: 'x'.repeat(bytes) } }, undefined)
      if (this.#wanted !== undefined) this.#wanted(message)
      else this.#ready.push(message)
      this.#wanted = undefined
    }
  }

  end(): void {
    this.#wanted?.(undefined)
  }

  next(): Promise<Message | undefined> {
    const message = this.#ready.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve) => {
      this.#wanted = resolve
    })
  }

  close(): void {
    this.isClosed = true
  }
}

class Someone implements Member {
  position = 0
  woken = 0

  wake(): void {
    this.woken++
  }
}

function open(retained = new Retained()) {
  const source = new Told()
  let ends = 0
  const broadcast = new Broadcast({ source, retained, approaching: new Set(), onEnd: () => ends++ })
  const members = [new Someone(), new Someone()] as const
  for (const member of members) broadcast.join(member)
  return { source, retained, broadcast, members, ends: () => ends }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function takeAll(broadcast: Broadcast, member: Member): number {
  let count = 0
  while (broadcast.take(member) instanceof Message) count++
  return count
}

describe('a broadcast', () => {
  test('waits for its fastest member, and goes on when that has read', async () => {
    const { source, broadcast, members } = open()
    source.tell(2_000)
    await settled()
    expect(broadcast.end).toBeLessThan(400)
    let taken = 0
    for (let round = 0; round < 30; round++) {
      taken += takeAll(broadcast, members[0])
      await settled()
    }
    expect(taken).toBe(2_000)
    expect(broadcast.end).toBe(2_000)
    // The other is far behind, but not gone.
    expect(takeAll(broadcast, members[1])).toBe(2_000)
  })

  test('lets go what all have, but for the newest', async () => {
    const { source, broadcast, members, retained } = open()
    for (let round = 0; round < 100; round++) {
      source.tell(10, 1000)
      await settled()
      for (const member of members) takeAll(broadcast, member)
    }
    expect(broadcast.end).toBe(1_000)
    expect(retained.bytes).toBeLessThan(150 * 1_100)
  })

  test('keeps less for those who are behind when all broadcasts together keep too much', async () => {
    const { source, broadcast, members, retained } = open(new Retained(300_000))
    for (let round = 0; round < 100; round++) {
      source.tell(10, 1000)
      await settled()
      takeAll(broadcast, members[0])
    }
    expect(retained.bytes).toBeLessThan(310_000)
    expect(broadcast.take(members[1])).toBe(GONE)
  })

  test('whose fastest member leaves goes on with the others', async () => {
    const { source, broadcast, members } = open()
    source.tell(600)
    await settled()
    takeAll(broadcast, members[0])
    await settled()
    broadcast.leave(members[0])
    let taken = 0
    for (let round = 0; round < 10; round++) {
      taken += takeAll(broadcast, members[1])
      await settled()
    }
    expect(taken).toBe(600)
  })

  test('ends with its source, and can be read to its end; without members it ends its source', async () => {
    const over = open()
    over.source.tell(3)
    await settled()
    over.source.end()
    await settled()
    expect(over.broadcast.isOver).toBe(true)
    expect(takeAll(over.broadcast, over.members[0])).toBe(3)
    for (const member of over.members) over.broadcast.leave(member)
    expect(over.ends()).toBe(1)
    expect(over.retained.bytes).toBe(0)
    const left = open()
    for (const member of left.members) left.broadcast.leave(member)
    expect(left.source.isClosed).toBe(true)
    expect(left.ends()).toBe(1)
  })
})
