import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Held } from '../share.ts'

/** Bytes around the data of a client's ping or pong: two of its header, four of its mask. */
const AROUND_CONTROL = 6

/**
 * Bounds what a socket keeps of a message that is not whole yet: by who the client is, which `ws` does not know, and
 * by what all clients may have together. It counts what comes, so it may be late by one read of the socket.
 * @param most bytes that the next message may have now
 * @param refuse called once it is too much, for itself (`large`) or beside what others have
 */
export function boundIntake(
  socket: WebSocket,
  stream: Duplex,
  held: Held,
  most: () => number,
  refuse: (why: 'large' | 'overloaded') => void,
): void {
  let partial = 0
  let isWhole = false
  let control = 0
  const onControl = (data: Buffer): void => {
    control += AROUND_CONTROL + data.length
  }
  socket.on('ping', onControl)
  socket.on('pong', onControl)
  socket.on('message', () => {
    isWhole = true
  })
  // After `ws` has taken the same bytes: then it is known whether a message ended in them.
  stream.on('data', (chunk: Buffer) => {
    const now = isWhole ? 0 : Math.max(0, partial + chunk.length - control)
    isWhole = false
    control = 0
    if (now === partial) return
    if (now > most()) return refuse('large')
    if (!held.set(now)) return refuse('overloaded')
    partial = now
  })
}
