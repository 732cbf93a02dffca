/** The process that makes load: it only writes prepared bytes and reads where answers end. */
import { BenchError } from '../../benchmark.ts'
import { HttpConnection } from '../../load/http-connection.ts'
import { answerParent } from '../live/child.ts'
import type { Repeated, RepeatRequest } from './messages.ts'

async function repeat({ port, request, connections, seconds, staysAwake }: RepeatRequest): Promise<Repeated> {
  const pool = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)))
  const started = performance.now()
  const end = started + 1000 * seconds
  let requests = 0
  if (staysAwake) stayAwake(end)
  let answer: Uint8Array | undefined
  await Promise.all(
    pool.map(async (connection) => {
      while (performance.now() < end) {
        const { status, body } = await connection.send(request)
        answer ??= Uint8Array.from(body)
        if (status !== 200 || body.length !== answer.length)
          throw new BenchError('LOAD_FAILED', `the server answered ${status}: ${body.toString().slice(0, 300)}`)
        requests++
      }
    }),
  )
  const ms = performance.now() - started
  for (const connection of pool) connection.close()
  return { requests, ms, answer: answer ?? new Uint8Array() }
}

/**
 * Keeps this process on its core. Else each answer to a server that is slower than the load wakes a sleeping process,
 * which the sender pays for, and a fast server, which never lets it sleep, does not.
 */
function stayAwake(end: number): void {
  if (performance.now() < end) setImmediate(() => stayAwake(end))
}

answerParent<RepeatRequest>(repeat)
