/**
 * Plays a scenario and then closes what it used, whatever came of it. If both fail the first error is told: the other
 * one may only be what came of it.
 */
export async function thenClose<T>(play: () => Promise<T>, close: () => Promise<unknown>): Promise<T> {
  let played: T
  try {
    played = await play()
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
  await close()
  return played
}

/** Anything that says what it said last. */
interface Speaker {
  readonly lastWords: string
}

/** Plays a scenario with processes. An error that comes out of it also tells what each of them said last. */
export async function withLastWords<T>(
  processes: Readonly<Record<string, Speaker>>,
  play: () => Promise<T>,
): Promise<T> {
  try {
    return await play()
  } catch (error) {
    const words = Object.entries(processes).map(([name, { lastWords }]) => `${name}: ${lastWords}`)
    throw new Error([error instanceof Error ? error.message : error, ...words].join('\n\n'), { cause: error })
  }
}
