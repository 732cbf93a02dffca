import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Bench } from '../benchmark.ts'
import type { PlainServerTask } from './plain-server.ts'

/** Starts a plain HTTP server that answers anything with these bytes; gives its port. It ends with the bench. */
export async function plainServer(bench: Bench, answer: Uint8Array): Promise<number> {
  const child = fork(new URL('./plain-server.ts', import.meta.url), { serialization: 'advanced' })
  bench.scope.defer(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const task: PlainServerTask = { answer }
  child.send(task)
  const [port] = await once(child, 'message')
  return Number(port)
}
