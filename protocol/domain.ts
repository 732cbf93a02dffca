import { sha256 } from '#sha256'
import { concat } from './bytes.ts'

/** What is hashed or signed under a domain of its own. */
export type DomainKind =
  | 'body'
  | 'cell'
  | 'export'
  | 'genesis'
  | 'header'
  | 'id'
  | 'path'
  | 'root-header'
  | 'root-vote'
  | 'tx'
  | (string & {})

const domains = new Map<string, Uint8Array>()
const scratch = new Uint8Array(1024)

/** ASCII `deaios/<kind>/1\0`, which keeps hashes and signatures of one kind from passing for another. Never write to it. */
export function domain(kind: DomainKind): Uint8Array {
  const known = domains.get(kind)
  if (known !== undefined) return known
  const made = new TextEncoder().encode(`deaios/${kind}/1\0`)
  // Kinds are constants of the program; the bound is for one that is not.
  if (domains.size < 64) domains.set(kind, made)
  return made
}

/** SHA-256 of `domain(kind)` followed by `bytes`. */
export function taggedHash(kind: DomainKind, bytes: Uint8Array): Uint8Array {
  const prefix = domain(kind)
  const length = prefix.length + bytes.length
  if (length > scratch.length) return sha256(concat(prefix, bytes))
  scratch.set(prefix)
  scratch.set(bytes, prefix.length)
  return sha256(scratch.subarray(0, length))
}
