import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DestinationStream, type Logger, multistream, pino, stdSerializers } from 'pino'
import { messageOf } from './db/errors.ts'
import { currentWork, type Work } from './db/work.ts'
import type { Log } from './plugin/host.ts'

const FILE_BYTES = 16 * 2 ** 20

/** Names whose values never reach a log, at any of the first three levels. */
const SECRET = [
  'password',
  'secret',
  'secretKey',
  'privateKey',
  'seed',
  'mnemonic',
  'token',
  'apiKey',
  'authorization',
  'cookie',
]

/** An API key that has got into some text, for example a client's: its public part may stay. */
const API_KEY = /\b(dk_[A-Za-z0-9]+)_[A-Za-z0-9_-]{16,}/g
/** A session's token, or anybody else's JWT. */
const JWT = /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+/g

const withoutKeys = (line: string): string => line.replace(API_KEY, '$1_[redacted]').replace(JWT, '[redacted]')

export interface LogOptions {
  /** JSON lines go here; the file before it is kept as `<file>.1`. */
  readonly file: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Where warnings and errors go in a form for people; nowhere if absent. */
  readonly people?: { write(text: string): unknown }
}

/** A log that ends with `close`. */
export type RootLog = Log & { close(): void }

/** Opens the node's log. Entries are on disk when the call returns. */
export function openLog({ file, level, people }: LogOptions): RootLog {
  const destination = new RotatingFile(file, (problem) => people?.write(`the log cannot be written: ${problem}\n`))
  const streams: { level: 'debug' | 'info' | 'warn' | 'error'; stream: DestinationStream }[] = [
    { level, stream: { write: (line) => destination.write(withoutKeys(line)) } },
  ]
  if (people !== undefined)
    streams.push({ level: 'warn', stream: { write: (line) => people.write(readable(withoutKeys(line))) } })
  const logger: Logger = pino(
    {
      level,
      base: null,
      // Whatever is written for a request has its name, without anybody thinking of it; a name given by hand goes first.
      mixin: () => requestOf(currentWork()),
      redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
      serializers: { error: stdSerializers.err, err: stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    multistream(streams),
  )
  return Object.assign(wrap(logger), { close: () => destination.close() })
}

const requestOf = (work: Work | undefined): { requestId?: string } =>
  work?.requestId === undefined ? {} : { requestId: work.requestId }

function wrap(logger: Logger): Log {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (first: string | Record<string, unknown>, message?: string): void => {
      if (typeof first === 'string') logger[level](first)
      else logger[level](first, message)
    }
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => wrap(logger.child(fields)),
    keepsDebug: logger.isLevelEnabled('debug'),
  }
}

/** A log for tests and for tools that print their own messages. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
  keepsDebug: false,
}

class RotatingFile implements DestinationStream {
  readonly #path: string
  #descriptor: number
  #bytes: number
  #closed = false
  #isFailing = false
  readonly #onFailure: (problem: string) => void

  constructor(path: string, onFailure: (problem: string) => void) {
    this.#path = path
    this.#onFailure = onFailure
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#descriptor = openSync(path, 'a', 0o600)
    this.#bytes = fstatSync(this.#descriptor).size
  }

  write(line: string): void {
    // An entry after the end has nowhere to go.
    if (this.#closed) return
    try {
      if (this.#bytes > FILE_BYTES) this.#rotate()
      this.#bytes += writeSync(this.#descriptor, line)
      this.#isFailing = false
    } catch (error) {
      // A full disk must not end the node because of its log; it is told once.
      if (!this.#isFailing) this.#onFailure(messageOf(error))
      this.#isFailing = true
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#descriptor)
  }

  #rotate(): void {
    closeSync(this.#descriptor)
    renameSync(this.#path, `${this.#path}.1`)
    this.#descriptor = openSync(this.#path, 'a', 0o600)
    this.#bytes = 0
  }
}

/** `12:00:01 warn execution: message key=value` */
function readable(line: string): string {
  const { time, level, plugin, msg, ...fields }: Record<string, unknown> = JSON.parse(line)
  const clock = String(time).slice(11, 19)
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${short(value)}`)
  return `${[clock, level, ...(plugin === undefined ? [] : [`${plugin}:`]), msg, ...rest].join(' ')}\n`
}

function short(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}...` : text
}
