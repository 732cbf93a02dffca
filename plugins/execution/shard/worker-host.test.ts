import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { silentLog } from '../../../server/log.ts'
import { isAwayCode } from './database-away.ts'
import { WorkerShardHost } from './worker-host.ts'

/** Threads that do in turn what is said: `ready` runs until it is told to stop or crash; else they fail with that code. */
function hostOf(acts: readonly string[]): { host: WorkerShardHost; started: Worker[] } {
  const started: Worker[] = []
  const take = (): Worker => {
    const act = acts[started.length] ?? acts.at(-1)
    const code = `
      const { parentPort } = require('node:worker_threads')
      parentPort.on('message', ({ type }) => {
        if (type !== 'begin' || ${act === 'crash'}) process.exit(type === 'begin' ? 1 : 0)
      })
      if (${act === 'ready'} || ${act === 'ready, crash'}) {
        parentPort.postMessage({ type: 'ready' })
        if (${act === 'ready, crash'}) setImmediate(() => process.exit(1))
      } else if (${act !== 'crash' && act !== 'opening'}) {
        parentPort.postMessage({ type: 'fatal', code: '${act}', message: 'as told' })
        setImmediate(() => process.exit(1))
      }`
    const worker = new Worker(code, { eval: true })
    started.push(worker)
    return worker
  }
  const data = {
    shard: '0:',
    database: { host: '127.0.0.1', port: 1, database: 'none', user: 'nobody', searchPath: ['execution'] },
    modules: [],
    params: { basePrice: 1n, depositPerByte: 1n, treasury: { realm: 0, id: new Uint8Array(32) } },
    fence: { lease: 'test', fence: 1n },
  }
  return { host: new WorkerShardHost(data, silentLog, undefined, { take }), started }
}

/** Lets the pauses between starts pass at once, while the threads need the time that they need. */
async function pass(isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    await vi.advanceTimersByTimeAsync(5_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

afterEach(() => void vi.useRealTimers())

describe('a shard whose thread ended', () => {
  it('is started again for as long as the database is away, and is given up for other failures only', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const away = new Array<string>(15).fill('ECONNREFUSED')
    const { host, started } = hostOf(['ready, crash', ...away, '57P03', 'CONNECT_TIMEOUT', 'ready'])
    await host.start()
    await pass(() => started.length === 19 && host.status === 'RUNNING')
    expect(host.losesPool).toBe(false)
    await host.stop()
    expect(host.status).toBe('STOPPED')
  })

  it('stays down if its starts fail for another reason', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { host, started } = hostOf(['ready, crash', 'ECONNREFUSED', 'BROKEN'])
    await host.start()
    await pass(() => host.status === 'STOPPED')
    // Its first thread, one that found no database, and ten crashes in a row.
    expect(started.length).toBe(12)
  })

  it('is given up when it crashes again and again, whatever becomes of the clock meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let hours = 0
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => 3_600_000 * hours++)
    const { host, started } = hostOf(['ready, crash'])
    await host.start()
    await pass(() => host.status === 'STOPPED' || started.length > 20)
    clock.mockRestore()
    expect(host.status).toBe('STOPPED')
  })

  it('ends with its host while a first start is tried again', async () => {
    const { host, started } = hostOf(['ECONNREFUSED', 'opening'])
    await expect(host.start()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(host.status).toBe('STOPPED')
    const again = host.start()
    await expect.poll(() => started.length).toBe(2)
    const ended = new Promise((resolve) => started[1]?.once('exit', resolve))
    await Promise.all([host.stop(), expect(again).rejects.toThrow(), ended])
  })
})

describe('codes of errors', () => {
  it('say whether the database is away', () => {
    for (const code of ['ECONNRESET', '08006', '57P01', 'CONNECTION_CLOSED', '53300'])
      expect(isAwayCode(code)).toBe(true)
    for (const code of ['23505', '42P01', 'STATE_MISMATCH', 'SHARD_FAULT', 'FENCED'])
      expect(isAwayCode(code)).toBe(false)
  })
})
