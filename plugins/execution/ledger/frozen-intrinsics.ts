/** What JavaScript itself brings, as far as modules could change it for each other. */
const NAMES = [
  ...['Array', 'ArrayBuffer', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Date'],
  ...['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'],
  ...['Float32Array', 'Float64Array', 'Function', 'Int16Array', 'Int32Array', 'Int8Array', 'Iterator', 'Map', 'Number'],
  ...['Object', 'Promise', 'Proxy', 'RegExp', 'Set', 'SharedArrayBuffer', 'String', 'Symbol', 'TextDecoder'],
  ...['TextEncoder', 'Uint16Array', 'Uint32Array', 'Uint8Array', 'Uint8ClampedArray', 'WeakMap', 'WeakSet'],
  ...['Atomics', 'JSON', 'Math', 'Reflect', 'Buffer', 'isNaN', 'isFinite', 'parseInt', 'parseFloat', 'structuredClone'],
]

/** Errors are given names by assignment, and objects a `toString`: what inherits from these must stay able to. */
const OFTEN_SHADOWED = [
  Object,
  Function,
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
].concat(TypeError as never, URIError as never)

/**
 * Freezes what all modules of a thread share: one that changes `Array.prototype` or `Math` changes nothing for the others
 * then, but breaks. To be called once in a thread, before any module is imported and after the engine was.
 */
export function freezeIntrinsics(): void {
  for (const { prototype } of OFTEN_SHADOWED) letBeShadowed(prototype)
  const global: Readonly<Record<string, unknown>> = globalThis as never
  for (const name of NAMES) {
    const value = global[name]
    if (value === undefined) continue
    freezeWithPrototype(value)
    // Some are made at first use, by a getter.
    Object.defineProperty(globalThis, name, { value, writable: false, configurable: false })
  }
  for (const hidden of hiddenPrototypes()) Object.freeze(hidden)
}

function freezeWithPrototype(value: unknown): void {
  if (typeof value === 'function') Object.freeze(value.prototype)
  // `Error.stackTraceLimit` is the process's business.
  if (value !== Error && value !== Buffer) Object.freeze(value)
}

/** Prototypes that have no name of their own. */
function hiddenPrototypes(): object[] {
  const prototypeOf = (value: object): object => Object.getPrototypeOf(value)
  const nothing = function* (): Generator<undefined> {
    yield undefined
  }
  const generator = prototypeOf(prototypeOf(nothing()))
  return [
    prototypeOf(Int8Array),
    prototypeOf(Int8Array.prototype),
    prototypeOf([][Symbol.iterator]()),
    prototypeOf(new Map()[Symbol.iterator]()),
    prototypeOf(new Set()[Symbol.iterator]()),
    prototypeOf(''[Symbol.iterator]()),
    generator,
    prototypeOf(generator),
    prototypeOf(async () => undefined),
    prototypeOf(nothing),
  ]
}

/**
 * Turns values into accessors, so that assigning to an object that inherits them still gives it one of its own: a value
 * of a frozen prototype would forbid that.
 */
function letBeShadowed(prototype: object): void {
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
    if (descriptor === undefined || !('value' in descriptor) || !descriptor.configurable) continue
    const { value, enumerable = false } = descriptor
    Object.defineProperty(prototype, key, {
      configurable: true,
      enumerable,
      get: () => value,
      set(this: object, own: unknown) {
        if (this === prototype) throw new TypeError(`"${String(key)}" is shared by all and cannot be changed`)
        Object.defineProperty(this, key, { value: own, writable: true, enumerable: true, configurable: true })
      },
    })
  }
}
