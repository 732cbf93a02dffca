/**
 * The parts of a query of postgres.js that its types leave out. Each statement is such an object; it is executed when
 * `handler` is called, and settled by `resolve` or `reject`.
 */
export interface RawStatement {
  handler(statement: RawStatement): unknown
  resolve(rows: unknown): void
  reject(error: unknown): void
  readonly canceller: ((statement: RawStatement) => Promise<unknown>) | null
  /** Whether the server is busy with it. */
  active: boolean
  /** Set once somebody wants it to end before it was sent. */
  readonly cancelled: unknown
  /** Its text around the parameters. */
  strings: readonly string[]
  readonly cursorFn?: unknown
  readonly streaming?: boolean
}

export const isRawStatement = (value: unknown): value is RawStatement =>
  value instanceof Promise && 'handler' in value && typeof value.handler === 'function' && 'canceller' in value

export type Callable = (...args: readonly unknown[]) => unknown

export const isCallable = (value: unknown): value is Callable => typeof value === 'function'

/** A method of postgres.js by its name. */
export function callOf(object: object, name: string): Callable {
  const method: unknown = Reflect.get(object, name)
  if (isCallable(method)) return method
  throw new TypeError(`postgres.js has no ${name}`)
}

/** The function with each statement that it makes seen first, and some of its methods replaced. */
export function watched<F extends object>(
  sql: F,
  see: (made: unknown) => unknown,
  replaced: Record<string, Callable>,
): F {
  const makers: Record<string, Callable> = {
    unsafe: (...args) => see(callOf(sql, 'unsafe')(...args)),
    file: (...args) => see(callOf(sql, 'file')(...args)),
    ...replaced,
  }
  return new Proxy(sql, {
    apply: (target, self, args) => see(isCallable(target) ? Reflect.apply(target, self, args) : undefined),
    get: (target, key) => (typeof key === 'string' && makers[key]) || Reflect.get(target, key),
  })
}
