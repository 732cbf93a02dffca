import type { JobName } from './declared.ts'
import { JobError } from './errors.ts'

/** Bytes that the data of one piece of work may have as JSON. */
export const MAX_DATA_BYTES = 256 * 1024

/** How values without a form in JSON are kept. Keys of the author's own that begin with `$` are kept as `$$...`. */
const BIGINT = '$bigint'
const BYTES = '$bytes'
const DATE = '$date'

/**
 * The data of a piece of work as it is kept: JSON, with bigints, bytes and dates marked, so that a run gets what was
 * put in.
 * @throws JobError JOB_DATA_INVALID or JOB_DATA_TOO_LARGE
 */
export function toStored(job: JobName, data: unknown): unknown {
  const stored = mark(job, data, 0)
  const bytes = Buffer.byteLength(JSON.stringify(stored) ?? '')
  if (bytes <= MAX_DATA_BYTES) return stored
  throw new JobError(
    'JOB_DATA_TOO_LARGE',
    job,
    `the data has ${bytes} bytes, and may have ${MAX_DATA_BYTES}; keep it in a table and enqueue its key`,
  )
}

/** What was put in. */
export function fromStored(stored: unknown): unknown {
  if (typeof stored !== 'object' || stored === null) return stored
  if (Array.isArray(stored)) return stored.map(fromStored)
  const entries = Object.entries(stored)
  const [first] = entries
  if (entries.length === 1 && first !== undefined && typeof first[1] === 'string') {
    const [key, text] = first
    if (key === BIGINT) return BigInt(text)
    if (key === BYTES) return new Uint8Array(Buffer.from(text, 'base64'))
    if (key === DATE) return new Date(text)
  }
  return Object.fromEntries(
    entries.map(([key, value]) => [key.startsWith('$$') ? key.slice(1) : key, fromStored(value)]),
  )
}

function mark(job: JobName, value: unknown, depth: number): unknown {
  if (depth > 64) throw invalid(job, 'is nested too deeply')
  switch (typeof value) {
    case 'string':
      return text(job, value)
    case 'boolean':
    case 'undefined':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw invalid(job, `holds ${value}`)
      return value
    case 'bigint':
      return { [BIGINT]: value.toString() }
    case 'object':
      return value === null ? null : markObject(job, value, depth)
    default:
      throw invalid(job, `holds a ${typeof value}`)
  }
}

function markObject(job: JobName, value: object, depth: number): unknown {
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString('base64') }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw invalid(job, 'holds a date that is none')
    return { [DATE]: value.toISOString() }
  }
  if (Array.isArray(value)) return value.map((item) => mark(job, item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw invalid(job, `holds a ${value.constructor?.name ?? 'class'}; use plain objects`)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      text(job, key.startsWith('$') ? `$${key}` : key),
      mark(job, item, depth + 1),
    ]),
  )
}

/** Postgres takes neither a zero character nor half a surrogate pair in JSON. */
function text(job: JobName, value: string): string {
  if (value.includes('\0') || !value.isWellFormed())
    throw invalid(job, 'holds text with a zero character or half a surrogate pair; use bytes')
  return value
}

const invalid = (job: JobName, problem: string): JobError =>
  new JobError('JOB_DATA_INVALID', job, `the data ${problem}, which cannot be kept`)
