/** The process of the subscribers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createEvents, type EventsService } from '../../../server/events/index.ts'
import { silentLog } from '../../../server/log.ts'
import { connect, type DatabaseOptions, type Sql } from '../../../server/plugin.ts'
import { answerParent } from './child.ts'
import { Measured, measurements, microseconds } from './measured.ts'
import { type Delivered, SELECTION, type SubscribersAnswers, type SubscribersRequest, TOPIC } from './messages.ts'
import { numberBehind, RawSocket } from './raw-socket.ts'

/** One in so many subscribers looks at the time. */
const SAMPLED = 20
/** Connections that are made at a time. */
const CONNECTING = 50
/** How long nothing may come. */
const PATIENCE_MS = 60_000

let subscribers = 0
let received = 0
let delays: number[] = []
let wanted: { readonly count: number; readonly resolve: () => void } | undefined
let publisher: { readonly sql: Sql; readonly events: EventsService } | undefined

async function subscribe(port: number, database: DatabaseOptions, count: number, different: boolean): Promise<null> {
  if (publisher === undefined) {
    const sql = connect(database, { max: 2 })
    publisher = { sql, events: createEvents({ sql, log: silentLog, topics: [Measured] }) }
  }
  for (let begun = 0; begun < count; begun += CONNECTING) {
    const more = Math.min(CONNECTING, count - begun)
    await Promise.all(Array.from({ length: more }, () => subscribeOne(port, different)))
  }
  // The last ones have been sent; there is no answer to a subscription.
  await sleep(500)
  return null
}

async function subscribeOne(port: number, different: boolean): Promise<void> {
  const number = subscribers++
  const socket = await RawSocket.open(port)
  const isSampled = number % SAMPLED === 0
  socket.onMessage = (bytes, begin, end) => {
    if (++received === wanted?.count) wanted.resolve()
    if (isSampled) delays.push((microseconds() - numberBehind(bytes, '"at":', begin, end)) / 1000)
  }
  const query = `subscription ${different ? `Number${number}` : ''} { ${SELECTION} }`
  // As long as the ids that clients make.
  const id = `5f0c2d6e-1a3b-4c5d-8e9f-${String(number).padStart(12, '0')}`
  socket.send({ id, type: 'subscribe', payload: { query } })
}

/** Publishes from here, so that the node does nothing but serve. */
async function publish(perBatch: number): Promise<void> {
  if (publisher === undefined) throw new TypeError('nobody has subscribed')
  await publisher.events.publishAll(publisher.sql, measurements(perBatch))
}

async function deliver(perBatch: number, seconds: number): Promise<Delivered> {
  return delivered(async () => {
    let made = 0
    for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
      made += perBatch
      const arrived = new Promise<void>((resolve) => {
        wanted = { count: made * subscribers, resolve }
      })
      await publish(perBatch)
      await arrived
    }
    return made
  })
}

async function pace(perBatch: number, perSecond: number, seconds: number): Promise<Delivered> {
  const batches = Math.max(1, Math.floor(perSecond * seconds))
  return delivered(async () => {
    const started = performance.now()
    for (let batch = 0; batch < batches; batch++) {
      const wait = started + (1000 * batch) / perSecond - performance.now()
      if (wait > 0) await sleep(wait)
      await publish(perBatch)
    }
    return batches * perBatch
  })
}

/** Counts what comes of events, and sees that it is all of them. */
async function delivered(work: () => Promise<number>): Promise<Delivered> {
  received = 0
  delays = []
  const started = performance.now()
  const due = (await work()) * subscribers
  await until(
    () => received >= due,
    () => received,
  )
  const ms = performance.now() - started
  // Whatever is too much comes soon.
  await sleep(50)
  if (received !== due) throw new TypeError(`${received} messages came; ${due} were due`)
  return { deliveries: received, ms, delays }
}

async function until(isDone: () => boolean, progress: () => number): Promise<void> {
  let known = -1
  for (let since = performance.now(); !isDone(); await sleep(2)) {
    if (progress() !== known) {
      known = progress()
      since = performance.now()
    }
    if (performance.now() - since > PATIENCE_MS) throw new TypeError(`nothing came for long; ${known} messages did`)
  }
}

async function resume(port: number, events: number, cuts: number): Promise<SubscribersAnswers['resume']> {
  const started = performance.now()
  let next = 0
  let cursor = 'e1_-1'
  let resumed = 0
  while (next < events) {
    const end = Math.min(events, Math.ceil(((resumed + 1) * events) / (cuts + 1)))
    const socket = await RawSocket.open(port)
    const done = Promise.withResolvers<void>()
    socket.onMessage = (bytes, begin, finish) => {
      const n = numberBehind(bytes, '"n":', begin, finish)
      if (n !== next) return done.reject(new TypeError(`event ${n} came where ${next} was due`))
      if (++next < end) return
      cursor = JSON.parse(bytes.toString('utf8', begin, finish)).payload.data.events.cursor
      socket.destroy()
      done.resolve()
    }
    const query = `subscription ($after: Cursor) { events(topics: ["${TOPIC}"], after: $after) { cursor topic payload } }`
    socket.send({ id: '1', type: 'subscribe', payload: { query, variables: { after: cursor } } })
    await Promise.race([
      done.promise,
      until(
        () => next >= end,
        () => next,
      ),
    ])
    resumed++
  }
  return { ms: performance.now() - started, resumed: resumed - 1 }
}

answerParent<SubscribersRequest>(async (request) => {
  switch (request.kind) {
    case 'subscribe':
      return subscribe(request.port, request.database, request.count, request.different)
    case 'deliver':
      return deliver(request.perBatch, request.seconds)
    case 'pace':
      return pace(request.perBatch, request.perSecond, request.seconds)
    case 'resume':
      return resume(request.port, request.events, request.cuts)
  }
})
