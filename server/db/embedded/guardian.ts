import { spawn } from 'node:child_process'

/** A small process that outlives ours for as long as it takes to end Postgres. */
export interface Guardian {
  /** Postgres has ended; so does the guardian. */
  dismiss(): void
}

// A line means that all is well. End of file means that the node has died, in whatever way.
const SCRIPT = `
read -r line && exit 0
kill -INT "$1" 2>/dev/null || exit 0
n=0
while kill -0 "$1" 2>/dev/null && [ $n -lt 150 ]; do sleep 0.1; n=$((n+1)); done
[ $n -lt 150 ] || kill -QUIT "$1" 2>/dev/null
`

/**
 * Watches over this process: when it dies, even by kill -9, Postgres is shut down. It has a session of its own, so
 * that Ctrl-C in the terminal reaches only the node.
 *
 * @param postmaster process id of Postgres
 */
export function postGuardian(postmaster: number): Guardian {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'deaios-postgres-guardian', String(postmaster)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  // Without a guardian the node works; an orphan is ended by the next start.
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  return {
    dismiss: () => {
      child.stdin.end('\n')
    },
  }
}
