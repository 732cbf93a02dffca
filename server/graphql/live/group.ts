import type { ExecutionResult } from 'graphql'
import type { Broadcast } from './broadcast.ts'
import type { Reader } from './reader.ts'

/** Readers of one operation with the same variables and access. */
export class Group {
  /** What they share, once there is something to share. */
  shared: Broadcast | undefined
  /** The shared broadcast that is about to begin. */
  starting: Promise<Broadcast | ExecutionResult> | undefined
  /** Readers who resumed somewhere, each with a source of its own until it meets the shared one. */
  readonly alone = new Set<Reader>()

  get isEmpty(): boolean {
    return this.shared === undefined && this.starting === undefined && this.alone.size === 0
  }
}

/** The groups of all operations. */
export class Groups {
  readonly #groups = new Map<object, Map<string, Group>>()

  /** The group of a key, made if need be. */
  of(operation: object, key: string): Group {
    let keys = this.#groups.get(operation)
    if (keys === undefined) {
      keys = new Map()
      this.#groups.set(operation, keys)
    }
    let group = keys.get(key)
    if (group === undefined) {
      group = new Group()
      keys.set(key, group)
    }
    return group
  }

  /** Forgets a group without anybody in it. */
  tidy(operation: object, key: string): void {
    const keys = this.#groups.get(operation)
    if (keys?.get(key)?.isEmpty !== true) return
    keys.delete(key)
    if (keys.size === 0) this.#groups.delete(operation)
  }
}
