/** Something in a call that would give another result on another node, or later. */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError'
  readonly code = 'NOT_DETERMINISTIC'

  constructor(what: string, instead: string) {
    super(`a ledger call used ${what}, which differs from node to node: ${instead}`)
  }
}

const TIME = 'use ctx.time or ctx.height'
const CHANCE = 'use ctx.random'
const LATER = 'a call does all its work before it returns; send a message for what comes after'
const OUTSIDE = 'a call sees only its cell and its arguments; pass in what it must know'
const GARBAGE = 'when memory is collected is not known'
const LOCALE = 'compare and format text by code units'

type Callable = (this: unknown, ...args: unknown[]) => unknown

/** A property that is watched, and how it is otherwise. */
interface Watched {
  readonly owner: object
  readonly name: string
  readonly original: PropertyDescriptor
  readonly watched: PropertyDescriptor
}

let isCalling = false
let isGuarded = false
/** What is put in place for each call and taken away after it. */
let passing: readonly Watched[] = []

/** From here on until `endCall`, what the guard watches throws NondeterminismError. */
export function beginCall(): void {
  isCalling = true
  for (const { owner, name, watched } of passing) Object.defineProperty(owner, name, watched)
}

export function endCall(): void {
  isCalling = false
  for (const { owner, name, original } of passing) Object.defineProperty(owner, name, original)
}

/**
 * Puts a watch in front of clocks, randomness, timers, I/O and everything that follows the machine's locale. To be
 * called once in a thread, before any module is imported: then what a module took aside while it loaded is watched too.
 * Outside of calls all of it works as ever.
 */
export function guardDeterminism(): void {
  if (isGuarded) return
  isGuarded = true
  passing = []
  watchGlobals()
  watch(process, ['hrtime', 'uptime', 'cpuUsage', 'memoryUsage', 'resourceUsage', 'cwd', 'chdir', 'umask'], OUTSIDE)
  watch(process, ['exit', 'reallyExit', 'abort', 'kill', 'dlopen', 'emitWarning', 'loadEnvFile'], OUTSIDE)
  watch(process, ['nextTick'], LATER)
  process.env = watchedEnvironment()
  watch(process.hrtime, ['bigint'], TIME)
  watch(String.prototype, ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase'], LOCALE)
  for (const prototype of [
    Number.prototype,
    BigInt.prototype,
    Array.prototype,
    Object.getPrototypeOf(Int8Array).prototype,
  ])
    watch(prototype, ['toLocaleString'], LOCALE)
  watch(Atomics, ['wait', 'waitAsync'], LATER)
  watch(WeakRef.prototype, ['deref'], GARBAGE)
  watch(FinalizationRegistry.prototype, ['register'], GARBAGE)
  watchBuiltins()
}

/**
 * The same for a thread that does much else, for as long as each call runs: what any code reaches without an import.
 * What a module took aside while it loaded is told by those who verify.
 */
export function guardWhileCalling(): void {
  if (isGuarded) return
  isGuarded = true
  const found: Watched[] = []
  watchGlobals((property) => found.push(property))
  passing = found
}

/** What any code reaches without an import. `place` puts a watch in place; at once and for good if absent. */
function watchGlobals(place: (watched: Watched) => void = placeWatch): void {
  watch(globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'], LATER, place)
  watch(globalThis, ['fetch'], OUTSIDE, place)
  watch(Math, ['random'], CHANCE, place)
  watch(Performance.prototype, ['now'], TIME, place)
  watch(Crypto.prototype, ['getRandomValues', 'randomUUID'], CHANCE, place)
  watch(Date, ['now', 'parse'], TIME, place)
  const intl = new Proxy(Intl, {
    get: (target, key, receiver) => {
      if (isCalling) throw new NondeterminismError(`Intl.${String(key)}`, LOCALE)
      return Reflect.get(target, key, receiver)
    },
  })
  const replaced = [
    ['Date', watchedDate()],
    ['Intl', intl],
  ] as const
  for (const [name, value] of replaced) {
    const original = Object.getOwnPropertyDescriptor(globalThis, name)
    if (original !== undefined) place({ owner: globalThis, name, original, watched: { ...original, value } })
  }
}

const placeWatch = ({ owner, name, watched }: Watched): void => {
  Object.defineProperty(owner, name, watched)
}

/** What Node's own modules bring: files, processes, sockets, timers, randomness. */
function watchBuiltins(): void {
  watchAll(process.getBuiltinModule('node:fs'), OUTSIDE)
  watchAll(process.getBuiltinModule('node:fs/promises'), OUTSIDE)
  watchAll(process.getBuiltinModule('node:child_process'), OUTSIDE)
  watchAll(process.getBuiltinModule('node:os'), OUTSIDE)
  watchAll(process.getBuiltinModule('node:dns'), OUTSIDE)
  watchAll(process.getBuiltinModule('node:timers'), LATER)
  watchAll(process.getBuiltinModule('node:timers/promises'), LATER)
  watch(process.getBuiltinModule('node:net'), ['connect', 'createConnection', 'createServer'], OUTSIDE)
  const chances = ['randomBytes', 'randomInt', 'randomUUID', 'randomFill', 'randomFillSync', 'getRandomValues']
  const keys = ['generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync']
  watch(process.getBuiltinModule('node:crypto'), [...chances, ...keys], CHANCE)
  // `import { readFileSync } from 'node:fs'` is watched too.
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

function watchAll(owner: object, instead: string): void {
  const names = Object.getOwnPropertyNames(owner).filter((name) => /^[a-z]/.test(name))
  watch(owner, names, instead)
}

/** Variables of the machine. */
function watchedEnvironment(): NodeJS.ProcessEnv {
  return new Proxy(process.env, {
    get(env, name, receiver) {
      if (isCalling) throw new NondeterminismError(`process.env.${String(name)}`, OUTSIDE)
      return Reflect.get(env, name, receiver)
    },
  })
}

/** Replaces methods by ones that refuse to run in a call. */
function watch(owner: object, names: readonly string[], instead: string, place = placeWatch): void {
  for (const name of names) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)
    const original: unknown = descriptor?.value
    if (descriptor === undefined || !isCallable(original)) continue
    const watched: Callable = function (this: unknown, ...args) {
      if (isCalling) throw new NondeterminismError(name, instead)
      return Reflect.apply(original, this, args)
    }
    Object.defineProperty(watched, 'name', { value: name })
    for (const key of Reflect.ownKeys(original)) {
      const property = Object.getOwnPropertyDescriptor(original, key)
      const isItsOwn = key === 'length' || key === 'name' || key === 'prototype'
      if (property !== undefined && !isItsOwn) Object.defineProperty(watched, key, property)
    }
    place({ owner, name, original: descriptor, watched: { ...descriptor, value: watched } })
  }
}

const isCallable = (value: unknown): value is Callable => typeof value === 'function'

/** Dates ask the clock, or the time zone that they are read in. */
function watchedDate(): DateConstructor {
  const refuse = (what: string): void => {
    if (isCalling) throw new NondeterminismError(what, TIME)
  }
  return new Proxy(Date, {
    construct(date, args, target) {
      refuse('new Date()')
      return Reflect.construct(date, args, target)
    },
    apply() {
      refuse('Date()')
      return new Date().toString()
    },
  })
}
