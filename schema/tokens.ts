import { typeRef } from '../server/plugin.ts'

/** The parent of `network`'s fields: nothing, because each plugin knows its own part. */
export interface NetworkShape {
  /** What the operator calls it. */
  readonly name: string
}

/** `Query.network`: the core defines it, layers add what they know. */
export const NetworkType = typeRef<NetworkShape>('Network')

/** What `network { limits }` gives: the core defines it, layers add the limits of what they take. By name. */
export const LimitsType = typeRef<Readonly<Record<string, number>>>('Limits')
