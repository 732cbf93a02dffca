import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpConnection } from './http-connection.ts'

const opened: { close(): void }[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.close()
})

/** A connection to a server that does this with each request. */
async function connected(answer: (socket: Socket) => void): Promise<HttpConnection> {
  const server = createServer((socket) => socket.on('data', () => answer(socket))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const connection = await HttpConnection.open(typeof address === 'object' && address !== null ? address.port : 0)
  opened.push(connection, server)
  return connection
}

const answer = (body: string) =>
  Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`)

describe('a connection that makes load', () => {
  it('reads an answer however it is cut', async () => {
    let cut = 0
    const connection = await connected(async (socket) => {
      const bytes = answer(`body ${cut}`)
      socket.setNoDelay(true)
      socket.write(bytes.subarray(0, cut))
      await setImmediate()
      socket.write(bytes.subarray(cut))
    })
    for (cut = 1; cut < answer('body 00').length; cut += 3) {
      const { status, body } = await connection.send(Buffer.from('x'))
      expect({ status, body: body.toString() }).toEqual({ status: 200, body: `body ${cut}` })
    }
  })

  it('fails when the server closes, or answers without a length', async () => {
    const closing = await connected((socket) => socket.end())
    await expect(closing.send(Buffer.from('x'))).rejects.toThrow('closed the connection')
    await expect(closing.send(Buffer.from('x'))).rejects.toThrow('closed the connection')
    const endless = await connected((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    await expect(endless.send(Buffer.from('x'))).rejects.toThrow('no content-length')
  })
})
