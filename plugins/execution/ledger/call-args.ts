import type { CborMap, CborValue } from '../../../protocol/index.ts'
import { beginCall, endCall } from './determinism.ts'
import type { RegisteredCall } from './registry.ts'
import { MAX_ERROR_MESSAGE } from './rules.ts'
import { ExhaustedError, readThrown } from './thrown.ts'

/** Arguments as their schema gives them, or why they do not fit. */
export type ParsedArgs = { readonly data: unknown } | { readonly why: string }

/**
 * Checks a call's arguments against its schema. The schema is the module's code: it is watched like a call, gets a copy
 * that it may do anything to, and whatever it throws means that the arguments do not fit.
 * @throws ExhaustedError if it runs out of stack or memory
 */
export function parseArgs({ name, call }: RegisteredCall, args: CborMap): ParsedArgs {
  beginCall()
  try {
    const parsed = call.args.safeParse(detached(args))
    if (parsed.success) return { data: parsed.data }
    const [issue] = parsed.error.issues
    // The issue quotes what it refuses, which may be most of the transaction.
    const text = `${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`
    return { why: text.slice(0, MAX_ERROR_MESSAGE).toWellFormed() }
  } catch (error) {
    if (readThrown(error).kind === 'exhausted') throw new ExhaustedError(name)
    return { why: `${name}: its schema broke; its author has to mend it` }
  } finally {
    endCall()
  }
}

/**
 * A copy that shares nothing with what it was made of. Decoded bytes are views of the transaction, or of a cell: a module
 * that sorts or reverses them must not change those.
 */
export function detached(args: CborMap): CborMap {
  const copy: { [key: string]: CborValue } = {}
  for (const key of Object.keys(args)) {
    const value = detachedValue(args[key] ?? null)
    if (key === '__proto__') Object.defineProperty(copy, key, { value, enumerable: true, configurable: true })
    else copy[key] = value
  }
  return copy
}

function detachedValue(value: CborValue): CborValue {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  return isList(value) ? value.map(detachedValue) : detached(value)
}

/** `Array.isArray` takes the type of a list's items away. */
const isList = (value: CborMap | readonly CborValue[]): value is readonly CborValue[] => Array.isArray(value)
