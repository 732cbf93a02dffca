/** A server that reads each request and answers the same bytes: what node:http alone can do. */
import { createServer } from 'node:http'

export interface PlainServerTask {
  readonly answer: Uint8Array
}

process.once('message', ({ answer }: PlainServerTask) => {
  const body = Buffer.from(answer)
  const server = createServer((request, response) => {
    let received = 0
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.on('end', () => {
      response.writeHead(received > 0 ? 200 : 400, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': body.length,
        'cache-control': 'no-store',
      })
      response.end(body)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' && address !== null ? address.port : 0)
  })
})
process.on('disconnect', () => process.exit(0))
// Ctrl-C in a terminal goes to every process; whoever started this one ends it in its turn.
process.on('SIGINT', () => undefined)
