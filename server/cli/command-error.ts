/** A command that was refused: exit code 1, `CODE: message` on stderr. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string

  /** @param message a sentence that says what is wrong and how to mend it */
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * `CODE: message` for anything that was thrown. Errors of this project carry their code; others are unexpected, and
 * shown as INTERNAL.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `INTERNAL: ${String(error)}`
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL'
  // The system's own errors begin with their code.
  if (error.message.startsWith(`${code}: `)) return error.message
  return `${code}: ${error.message || error.name}`
}
