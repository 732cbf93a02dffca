import { z } from 'zod'

/**
 * The schema of bytes, for payloads of topics and arguments of calls.
 * @param length how many exactly; any number if absent
 */
export function bytes(length?: number): z.ZodType<Uint8Array> {
  const any = z.instanceof(Uint8Array)
  return length === undefined ? any : any.refine((value) => value.length === length, `must have ${length} bytes`)
}
