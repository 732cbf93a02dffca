import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { answerOn } from './sockets.ts'

/**
 * Lets clients go that do not read their answers: one that is whole, and not taken by its client within the time, is
 * cut off, with its connection. Streams have no end, so they are not looked at. One look at all connections, every
 * second at most, costs requests nothing.
 * @param seconds from the first look at which the answer was whole
 */
export function letGoUnread(server: Server, seconds: number): void {
  const sockets = new Set<Socket>()
  const since = new WeakMap<ServerResponse, number>()
  const look = (): void => {
    const now = performance.now()
    for (const socket of sockets) {
      const answer = answerOn(socket)
      if (answer === undefined || !answer.writableEnded || answer.writableFinished) continue
      const begun = since.get(answer)
      if (begun === undefined) since.set(answer, now)
      else if (now - begun >= seconds * 1000) socket.destroy()
    }
  }
  const timer = setInterval(look, Math.min(1_000, seconds * 250))
  timer.unref()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.once('close', () => clearInterval(timer))
}
