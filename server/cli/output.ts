import type { Command } from 'commander'

/** Where a command's words go; tests put their own in. */
export interface Streams {
  readonly out: { write(text: string): unknown }
  readonly err: { write(text: string): unknown }
}

/** What a command answers: for programs (`--json`), and for people. */
export interface Answer {
  /** Printed as one JSON document. Byte arrays become 0x-hex and bigints decimal strings, as in GraphQL. */
  readonly json: unknown
  /** Empty if everything was printed while it ran. */
  readonly text: string
}

/**
 * Adds `--json` to a command and makes `run` its action; it finds what was given in `command.args` and
 * `command.opts()`. With `--json` nothing but the document is printed on stdout.
 *
 *     answering(program.command('status'), streams, async () => ({ json: { height: 1 }, text: 'height 1' }))
 */
export function answering(command: Command, streams: Streams, run: (command: Command) => Promise<Answer>): Command {
  return command.option('--json', 'print one JSON document and nothing else').action(async () => {
    const { json, text } = await run(command)
    const wantsJson = command.opts<{ json?: boolean }>().json === true
    if (wantsJson) streams.out.write(`${toJsonText(json)}\n`)
    else if (text !== '') streams.out.write(`${text}\n`)
  })
}

const toJsonText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString()
    if (inner instanceof Uint8Array) return `0x${Buffer.from(inner).toString('hex')}`
    return inner
  })
