import { compare, concat, sha256, ZERO_HASH } from '../../../protocol/index.ts'

/** A subtree: a lone leaf, or a node that decides the bit at this depth. */
interface Subtree {
  readonly key: Uint8Array
  readonly hash: Uint8Array
  /** undefined for a leaf, which stands wherever it is alone. */
  readonly depth: number | undefined
  /** How many bits its first key shares with the last key of the subtree before it. */
  readonly shared: number
}

/**
 * The root of a trie (protocol/trie.ts) whose leaves come sorted by key, in memory that does not grow with their number:
 * what stands left of the way to the last leaf is hashed already.
 */
export class SortedTrie {
  readonly #depth: number
  readonly #open: Subtree[] = []
  #last: Uint8Array | undefined
  size = 0

  /** `depth`: how many leading bits all keys share by rule. */
  constructor(depth: number) {
    this.#depth = depth
  }

  /** Adds a leaf by its hash. False if its key is not behind the one before. */
  add(key: Uint8Array, leaf: Uint8Array): boolean {
    if (this.#last !== undefined && compare(this.#last, key) >= 0) return false
    const shared = this.#last === undefined ? 0 : sharedBits(this.#last, key)
    if (this.#last !== undefined) this.#close(shared)
    this.#open.push({ key, hash: leaf, depth: undefined, shared })
    this.#last = key
    this.size++
    return true
  }

  /** The root of all that was added, 32 bytes. Nothing can be added after. */
  root(): Uint8Array {
    this.#close(-1)
    const [top] = this.#open
    return top === undefined ? ZERO_HASH : lifted(top, this.#depth)
  }

  /** Joins the subtrees that the next key, which shares so many bits with the last, cannot come into. */
  #close(shared: number): void {
    while (this.#open.length > 1 && (this.#open.at(-1)?.shared ?? 0) > shared) {
      const right = this.#open.pop()
      const left = this.#open.pop()
      if (left === undefined || right === undefined) return
      const hash = sha256(concat(lifted(left, right.shared + 1), lifted(right, right.shared + 1)))
      this.#open.push({ key: left.key, hash, depth: right.shared, shared: left.shared })
    }
  }
}

/** The hash of a subtree as it stands below a node at `depth - 1`: one empty side for each bit that is passed over. */
function lifted({ key, hash, depth }: Subtree, to: number): Uint8Array {
  if (depth === undefined) return hash
  let lifting = hash
  for (let at = depth - 1; at >= to; at--)
    lifting = sha256(bit(key, at) === 0 ? concat(lifting, ZERO_HASH) : concat(ZERO_HASH, lifting))
  return lifting
}

const bit = (key: Uint8Array, at: number): number => ((key[at >> 3] ?? 0) >> (7 - (at & 7))) & 1

function sharedBits(a: Uint8Array, b: Uint8Array): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return 8 * at + Math.clz32((a[at] ?? 0) ^ (b[at] ?? 0)) - 24
}
