/** A shard in a worker thread: connects the engine to its port. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { DatabaseOptions } from '../../../server/plugin.ts'
import { connect, connectStatements } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import { guardDeterminism } from '../ledger/determinism.ts'
import { freezeIntrinsics } from '../ledger/frozen-intrinsics.ts'
import { loadModules, type ModuleSource } from '../ledger/load-modules.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { MAX_ERROR_MESSAGE } from '../ledger/rules.ts'
import type { RootMoment } from '../root/root-moment.ts'
import { Barred } from './barred.ts'
import { BirthStore } from './birth-store.ts'
import { BlockStore } from './block-store.ts'
import { firstBlock } from './child-state.ts'
import { SHARD_TUNING, ShardEngine, type ShardTuning } from './engine.ts'
import { HaltStore, type Poison } from './halt-store.ts'
import type { LedgerParams } from './ledger-rules.ts'
import type { ShardReport, ShardRequest } from './messages.ts'
import { answer } from './questions.ts'
import { RunMarks } from './run-marks.ts'
import { BadRunError } from './running.ts'
import type { ShardSeed } from './shard-seed.ts'
import { shardSpace } from './shard-space.ts'

/** What a shard worker is started with: it loads its modules, and then waits for the rest. */
export interface EarlyWorkerData {
  readonly shard: string
  readonly database: DatabaseOptions
  /** All versions that the node has: the network decides which are used. */
  readonly modules: readonly ModuleSource[]
  readonly tuning?: Partial<ShardTuning>
}

/** What a shard begins with. */
export interface ShardWorkerData extends EarlyWorkerData {
  readonly params: LedgerParams
  /** Of the leader that this shard works for. */
  readonly fence: Fence
  /** The root chain as of the shard's last block, where the database does not hold the root chain. */
  readonly root?: RootMoment
  /** What the parent of a shard that was split off handed over, for the first start. */
  readonly seed?: ShardSeed
  /** The root height from which on a shard exists that was split off from none: it makes its first block itself. */
  readonly from?: number
  /** Where it says what it runs (run-marks.ts). */
  readonly marks?: SharedArrayBuffer
  /** Ids of transactions that broke a block before, 32 bytes each. */
  readonly barred?: Uint8Array
  /** Something ended it that a call had left behind: it is to be found out whose. */
  readonly isCautious?: boolean
  /** The message that ended it, and would again: it is to be remembered, and nothing is to be run. */
  readonly poison?: Poison
}

/** Tells a worker to begin. */
export interface Begin {
  readonly type: 'begin'
  readonly data: Omit<ShardWorkerData, 'seed'>
  /** One or none, to be taken out: it has all arrays of the parent, which must not be held when the shard is open. */
  readonly seeds: ShardSeed[]
}

/** One connection for blocks, one for folds, one for reads. */
const CONNECTIONS = 3

/** How long a thread is cautious: what ends it comes soon, or not again. */
const CAUTIOUS_MS = 60_000
/** Milliseconds between two signs of life. */
const BEAT_MS = 100
/** Milliseconds between two reports of promises that nobody waits for. */
const TELL_MS = 1_000

async function main(port: MessagePort, early: EarlyWorkerData): Promise<void> {
  // Before any module is imported.
  guardDeterminism()
  freezeIntrinsics()
  const requests = new Requests(port)
  const report = (message: ShardReport): void => port.postMessage(message, transferables(message))
  tellOfRejections(report)
  const library = new ModuleLibrary(await loadModules(early.modules))
  const { data, seeds } = await requests.begun
  const marks = new RunMarks(data.marks)
  setInterval(() => marks.beat(), BEAT_MS).unref()
  const space = shardSpace(data.shard)
  const applicationName = `deaios shard ${space.id}`
  // What is read once, at the start, needs no connection of its own for good.
  const sql = connect(data.database, { max: 1, idleSeconds: 10, applicationName })
  const statements = connectStatements(data.database, { max: CONNECTIONS, applicationName })
  const store = new BlockStore(sql, statements, space, data.fence, data.root)
  const births = new BirthStore(sql, statements, space, data.fence)
  if (await births.isSplit()) {
    await Promise.all([sql.end({ timeout: 5 }), statements.end()])
    report({ type: 'split', handover: null })
    return port.close()
  }
  if (data.from !== undefined && !(await births.isBorn()))
    await births.begin(firstBlock(space, await store.rootMoment(data.from), data.params))
  const halts = new HaltStore(sql, space.id, data.fence)
  const reason = data.poison ? await halts.add(data.poison, data.modules) : await halts.reason(data.modules)
  if (reason !== undefined) {
    await Promise.all([sql.end({ timeout: 5 }), statements.end()])
    report({ type: 'halted', reason })
    return port.close()
  }
  const barred = new Barred()
  for (let at = 0; at < (data.barred?.length ?? 0); at += 32) barred.add(data.barred!.subarray(at, at + 32))
  const engine = new ShardEngine({
    space,
    marks,
    barred,
    cautiousMs: data.isCautious === true ? CAUTIOUS_MS : 0,
    store,
    births,
    rules: { library, params: data.params },
    tuning: { ...SHARD_TUNING, ...data.tuning },
    report,
    now: Date.now,
  })
  await engine.open(seeds.pop())
  requests.handle((request) => handle(engine, request, report))
  await engine.run()
  await Promise.all([sql.end({ timeout: 5 }), statements.end()])
  report({ type: 'stopped' })
  port.close()
}

/** What the thread is told: first to begin, then what waits until it can be handled. */
class Requests {
  readonly begun: Promise<Begin>
  readonly #waiting: ShardRequest[] = []
  #handle = (request: ShardRequest): void => {
    this.#waiting.push(request)
  }

  constructor(port: MessagePort) {
    this.begun = new Promise((resolve) => {
      port.on('message', (request: ShardRequest | Begin) => {
        if (request.type === 'begin') resolve(request)
        else this.#handle(request)
      })
    })
  }

  handle(handle: (request: ShardRequest) => void): void {
    this.#handle = handle
    for (const request of this.#waiting.splice(0)) handle(request)
  }
}

/**
 * A promise that a call left behind may reject long after the call is over: that is its module's fault, and no reason to
 * end the thread. The engine's own promises all have somebody who waits for them.
 */
function tellOfRejections(report: (message: ShardReport) => void): void {
  let count = 0
  let first = ''
  process.on('unhandledRejection', (error) => {
    count++
    if (count === 1) {
      first = textOf(error)
      setTimeout(() => {
        const message = 'a ledger module left a promise behind that failed: its author has to mend it'
        report({ type: 'warning', message, fields: { error: first, count } })
        count = 0
      }, TELL_MS).unref()
    }
  })
}

/** Whatever was thrown, in words; it may be anything. */
function textOf(error: unknown): string {
  try {
    return String(error).slice(0, MAX_ERROR_MESSAGE)
  } catch {
    return 'an error that cannot be shown'
  }
}

function handle(engine: ShardEngine, request: ShardRequest, report: (message: ShardReport) => void): void {
  switch (request.type) {
    case 'submit': {
      const { batch } = request
      engine.desk
        .submit(batch)
        .catch((error: unknown) => report({ type: 'batch-failed', batch: batch.batch, ...explain(error) }))
      return
    }
    case 'root':
      return engine.deliver(request.delivery)
    case 'adopt':
      engine.desk.adopt(request.pool).catch(fail)
      return
    case 'ask':
      answer(engine, request.question).then(
        (found) => report({ type: 'answer', id: request.id, answer: found }),
        (error: unknown) => report({ type: 'failed-answer', id: request.id, ...explain(error) }),
      )
      return
    case 'stop':
      return engine.stop()
  }
}

/** Buffers that are handed over instead of copied. */
function transferables(report: ShardReport): ArrayBuffer[] {
  if (report.type === 'admitted') return [report.admission.results.buffer]
  if (report.type === 'split') {
    return (report.handover ?? []).flatMap(({ pool: { ids, lengths, data } }) => [
      ids.buffer,
      lengths.buffer,
      data.buffer,
    ])
  }
  if (report.type !== 'block') return []
  const { outgoing, included, outcomes, waiters } = report.block
  return [outgoing, included, outcomes, waiters]
    .map(({ buffer }) => buffer)
    .filter((buffer) => buffer instanceof ArrayBuffer)
}

function explain(error: unknown): { code: string; message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'SHARD_FAULT'
  return { code, message: error instanceof Error ? error.message : String(error) }
}

function fail(error: unknown): void {
  const running = error instanceof BadRunError ? { running: error.running } : {}
  const report: ShardReport = { type: 'fatal', ...explain(error), ...running }
  parentPort?.postMessage(report)
  // Whatever else is going on in here must not go on.
  setImmediate(() => process.exit(1))
}

if (parentPort !== null) main(parentPort, workerData as EarlyWorkerData).catch(fail)
