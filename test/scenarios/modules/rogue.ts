import { z } from 'zod'
import { type CallContext, CallError, call, cellType, ledgerModule } from '../../../plugins/execution/api.ts'
import { topic } from '../../../server/plugin.ts'

const Note = cellType('rogue.note', z.string().max(20))
const Anything = cellType('rogue.anything', z.any())
const Seen = topic('rogue.seen', z.any())

const credit = (ctx: CallContext, message: object): void =>
  ctx.send({ to: ctx.sender, call: 'account.credit', ...message } as never)
const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])
const recurse = (n: number): number => 1 + recurse(n + 1)
const throwing = (): never => {
  throw new RangeError('a trap')
}
const traps = { get: throwing, has: throwing, getPrototypeOf: throwing, ownKeys: throwing }
let kept: CallContext | undefined

/** What comes to nothing, or to nothing bad. */
export const MISCHIEF = {
  throwNull: () => {
    throw null
  },
  throwSymbol: () => {
    throw Symbol('no error')
  },
  throwProxy: () => {
    throw new Proxy(new CallError('PROXY', 'what is it'), traps)
  },
  throwFrozen: () => {
    throw Object.freeze(new CallError('FROZEN', 'it is cold'))
  },
  throwHuge: () => {
    throw new CallError('HUGE', 'x'.repeat(10_000_000))
  },
  throwHalf: () => {
    throw new CallError('HALF', 'half a pair: \ud800')
  },
  throwLongCode: () => {
    throw new CallError('X'.repeat(1000), 'its code fits nowhere')
  },
  throwEmptyCode: () => {
    throw new CallError('', 'it has no code')
  },
  throwGetter: () => {
    throw Object.defineProperty(new CallError('GETTER', ''), 'message', { get: throwing })
  },
  returnPromise: () => Promise.resolve(1),
  returnRejection: () => Promise.reject(new Error('nobody hears of it')),
  returnThenable: () => Object.defineProperty({}, 'then', { value: throwing }),
  returnGetter: () => Object.defineProperty({}, 'then', { get: throwing }),
  returnProxy: () => new Proxy({}, traps),
  sendUndeclared: (ctx: CallContext) => ctx.send({ to: ctx.sender, call: 'rogue.mischief' }),
  sendInherited: (ctx: CallContext) => ctx.send({ to: ctx.sender, call: 'constructor' }),
  sendTooMany: (ctx: CallContext) => [1, 2, 3].map(() => credit(ctx, {})),
  sendNegative: (ctx: CallContext) => credit(ctx, { value: -1n }),
  sendTooMuch: (ctx: CallContext) => credit(ctx, { value: ctx.balance + 1n }),
  sendNumber: (ctx: CallContext) => credit(ctx, { value: 1 }),
  sendObject: (ctx: CallContext) => credit(ctx, { value: { valueOf: () => 1n } }),
  sendNowhere: (ctx: CallContext) => credit(ctx, { to: new Uint8Array(5) }),
  sendAnywhere: (ctx: CallContext) => credit(ctx, { realm: 77 }),
  sendFraction: (ctx: CallContext) => credit(ctx, { args: { half: 0.5 } }),
  sendGiant: (ctx: CallContext) => credit(ctx, { args: { bytes: new Uint8Array(70_000) } }),
  writeGiant: (ctx: CallContext) => ctx.write(Anything, 'x'.repeat(70_000)),
  writeRefused: (ctx: CallContext) => ctx.write(Note, 'longer than its schema allows'),
  writeDeep: (ctx: CallContext) => ctx.write(Anything, nested(30)),
  writeFunction: (ctx: CallContext) => ctx.write(Anything, () => 1),
  writeProxy: (ctx: CallContext) => {
    let length = 0
    ctx.write(Anything, new Proxy(new Uint8Array(8), { get: (_, key) => (key === 'length' ? ++length : 3) }))
  },
  emitTooMany: (ctx: CallContext) => Array.from({ length: 65 }, (_, i) => ctx.emit(Seen, i)).length,
  emitGiant: (ctx: CallContext) => ctx.emit(Seen, new Uint8Array(70_000)),
  emitForged: (ctx: CallContext) => ctx.emit({ ...Seen, id: '"}; drop' }, 1),
  emitHalf: (ctx: CallContext) => {
    try {
      ctx.emit(Seen, { first: 1, second: undefined })
    } catch {
      ctx.emit(Seen, 'whole')
    }
  },
  keep: (ctx: CallContext) => {
    kept = ctx
  },
  useKept: () => kept?.emit(Seen, 'from a call that is over'),
} as const satisfies Record<string, (ctx: CallContext) => unknown>

/** What goes on after the call, and fails. */
export const LEFTOVERS = {
  rejection: () => void Promise.reject(new Error('somebody has to hear of it')),
  nothing: () => void Promise.reject(null),
  proxy: () => void Promise.reject(new Proxy({}, traps)),
} as const satisfies Record<string, (ctx: CallContext) => unknown>

/** What cannot be run to its end. */
export const DEADLY = {
  loop: () => {
    for (;;);
  },
  search: () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  recurse: () => recurse(0),
  hoard: () => {
    const hoarded: unknown[] = []
    for (;;) hoarded.push({ hoarded: [hoarded.length] })
  },
  hoardBytes: () => {
    const hoarded: Uint8Array[] = []
    for (;;) hoarded.push(new Uint8Array(1_000_000).fill(1))
  },
} as const satisfies Record<string, (ctx: CallContext) => unknown>

/** What changes what all modules share. */
export const PATCHES = {
  array: () => {
    Array.prototype.push = () => 0
  },
  object: () => {
    Object.prototype.toString = () => 'mine'
  },
  addition: () => Object.assign(Object.prototype, { mine: 1 }),
  math: () => {
    Math.max = () => 0
  },
  global: () => Object.assign(globalThis, { Map: Set }),
  error: () => {
    Error.prototype.message = 'mine'
  },
} as const satisfies Record<string, (ctx: CallContext) => unknown>

const namesOf = <T extends object>(tricks: T) => z.enum(Object.keys(tricks) as [keyof T & string])
const sends = { 'account.credit': 2 }

const mischief = call({
  args: z.strictObject({ how: namesOf(MISCHIEF) }),
  weight: () => 1n,
  sends,
  apply: (ctx, { how }) => MISCHIEF[how](ctx) as undefined,
})

const kill = call({
  args: z.strictObject({ how: namesOf(DEADLY) }),
  weight: () => 1n,
  apply(_ctx, { how }) {
    DEADLY[how]()
  },
})

const patch = call({
  args: z.strictObject({ how: namesOf(PATCHES) }),
  weight: () => 1n,
  apply(_ctx, { how }) {
    PATCHES[how]()
  },
})

const leave = call({
  args: z.strictObject({ how: namesOf(LEFTOVERS) }),
  weight: () => 1n,
  apply: (_ctx, { how }) => LEFTOVERS[how](),
})

/** Changes all bytes that it is given. */
const scribble = call({
  args: z.strictObject({ to: z.instanceof(Uint8Array) }),
  weight: () => 1n,
  apply(ctx, { to }) {
    const before = ctx.read(Anything)
    if (before === undefined) ctx.write(Anything, { bytes: new Uint8Array(8).fill(7) })
    else (before as { bytes: Uint8Array }).bytes.fill(0)
    for (const bytes of [to, ctx.cell, ctx.sender, ctx.payer, ctx.random]) bytes.fill(0)
  },
})

/** Its schema loops for ever. */
const admit = call({
  args: z.strictObject({ n: z.int().refine(() => DEADLY.loop()) }),
  weight: () => 1n,
  apply: () => undefined,
})

/** It does not say what it weighs. */
const weigh = call({
  args: z.strictObject({ how: z.enum(['throw', 'number', 'negative']) }),
  weight: ({ how }) => (how === 'throw' ? throwing() : how === 'number' ? (1 as never) : -5n),
  apply: () => undefined,
})

/** Leaves something behind that hangs its thread once the call is over. */
const hang = call({
  args: z.strictObject({}),
  weight: () => 1n,
  apply() {
    void Promise.resolve().then(() => DEADLY.loop())
  },
})

/** A ledger module that does everything that a module must not do. */
export const rogue = ledgerModule('rogue', {
  url: import.meta.url,
  version: 1,
  home: 'shard',
  calls: { mischief, kill, patch, leave, scribble, admit, weigh, hang },
})
