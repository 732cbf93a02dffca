import type { Cell } from '../../protocol/index.ts'
import { invalid } from './proven.ts'

/** Owner of the cells of accounts. */
const ACCOUNT = 'account'

/**
 * The next nonce of each lane that an account has used: its cell's value is null or [[[lane, next], ...], keys].
 * A cell of another module has none, since it signs nothing.
 * @throws ClientError PROOF_INVALID if the value is none of an account
 */
export function lanesOf(cell: Cell | null): ReadonlyMap<number, number> {
  if (cell === null || cell.owner !== ACCOUNT || cell.value === null) return new Map()
  const [lanes] = Array.isArray(cell.value) ? cell.value : []
  if (!Array.isArray(lanes)) throw notAnAccount()
  return new Map(lanes.map(laneOf))
}

function laneOf(entry: unknown): readonly [lane: number, next: number] {
  const [lane, next] = Array.isArray(entry) ? entry : []
  if (typeof lane === 'number' && typeof next === 'number') return [lane, next]
  throw notAnAccount()
}

const notAnAccount = () =>
  invalid('ENCODING', 'the cell is proven, but its value is not that of an account: is this SDK too old?')
