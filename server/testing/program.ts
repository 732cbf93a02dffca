import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** A program that a test has started. */
export interface Program {
  readonly pid: number
  readonly child: ChildProcess
  /** The next line on stdout that contains the text; fails if the program ends first, with what it said. */
  line(containing: string): Promise<string>
  /** Everything it has said so far. */
  readonly output: { readonly out: string; readonly err: string }
  /** Waits for its end. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Sends the signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>
}

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
}

/** Runs this Node with the words; the script first. */
export const runNode = (words: readonly string[], options: ProgramOptions = {}): Program =>
  run(process.execPath, words, options)

/** Runs lines as one types them into a shell; the first that fails ends it. */
export const runShell = (lines: string, options: ProgramOptions = {}): Program =>
  run('bash', ['-e', '-c', lines], options)

function run(file: string, words: readonly string[], options: ProgramOptions): Program {
  const child = spawn(file, [...words], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { out: '', err: '' }
  const lines: string[] = []
  let wake = Promise.withResolvers<void>()
  const announce = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    announce()
  })
  child.stdout.on('data', (chunk: Buffer) => {
    output.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.err += chunk.toString()
  })
  let isOver = false
  const ended = once(child, 'close').then(([code, signal]) => {
    isOver = true
    announce()
    return { code, signal }
  })
  return {
    pid: child.pid ?? -1,
    child,
    output,
    ended,
    async line(containing) {
      for (;;) {
        const found = lines.findIndex((line) => line.includes(containing))
        if (found >= 0) return lines.splice(0, found + 1).at(-1) ?? ''
        if (isOver) throw new Error(`it ended without saying "${containing}":\n${output.out}\n${output.err}`)
        await wake.promise
      }
    },
    async end(signal) {
      child.kill(signal)
      await ended
    },
  }
}

/** Waits until the condition holds; fails after the time, in milliseconds: long enough to tell a busy machine from none. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 60_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`)
    await sleep(20)
  }
}

/** Whether a process of that id runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
