import { MAX_EXPORT_KEY } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import { MAX_EXPORT_VALUE, MAX_EXPORTS } from '../ledger/rules.ts'
import type { ExportChange } from './exports.ts'
import type { RootView } from './root-view.ts'

/** Printable ASCII: written the same way everywhere. */
const KEY = /^[\x20-\x7e]+$/

/** What root calls change of the exports while a root block is made. */
export class ExportDraft {
  readonly #base: RootView
  #changes = new Map<string, Uint8Array | null>()
  #size: number
  /** As it was when the running call changed something for the first time. */
  #marked: { readonly changes: ReadonlyMap<string, Uint8Array | null>; readonly size: number } | undefined
  #view: RootView | undefined

  /** `base`: as of the root block before. */
  constructor(base: RootView) {
    this.#base = base
    this.#size = base.size
  }

  /** With all changes so far. */
  get view(): RootView {
    this.#view ??= this.#base.with([...this.#changes])
    return this.#view
  }

  /** All changes, sorted by key; only what is another value than before. */
  get changes(): readonly ExportChange[] {
    return [...this.#changes]
      .filter(([key, value]) => !same(this.#base.bytes(key), value))
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** From here on `undo` undoes. */
  mark(): void {
    this.#marked = undefined
  }

  undo(): void {
    if (this.#marked === undefined) return
    this.#changes = new Map(this.#marked.changes)
    this.#size = this.#marked.size
    this.#marked = undefined
    this.#view = undefined
  }

  /**
   * Changes one export. `value` is CBOR, or null to remove it.
   * @throws CallError EXPORT_REFUSED
   */
  set(module: string, key: string, value: Uint8Array | null): void {
    if (!mayExport(module, key)) refuse(`"${module}" exports under "${module}/", not under ${JSON.stringify(key)}`)
    if (!KEY.test(key) || key.length > MAX_EXPORT_KEY)
      refuse(`the key of an export is ${MAX_EXPORT_KEY} characters of printable ASCII at most`)
    if (value !== null && value.length > MAX_EXPORT_VALUE)
      refuse(`an export has at most ${MAX_EXPORT_VALUE} bytes, not ${value.length}`)
    const known = this.#changes.get(key)
    const isThere = known === undefined ? this.#base.bytes(key) !== undefined : known !== null
    const size = this.#size + Number(value !== null) - Number(isThere)
    if (size > MAX_EXPORTS) refuse(`the root chain exports at most ${MAX_EXPORTS} values: remove one first`)
    this.#marked ??= { changes: new Map(this.#changes), size: this.#size }
    this.#size = size
    this.#changes.set(key, value)
    this.#view = undefined
  }
}

/** Each module has its own keys; a new realm begins with shards. */
const mayExport = (module: string, key: string): boolean =>
  key.startsWith(`${module}/`) || (module === 'realm' && key.startsWith('shard/'))

function same(before: Uint8Array | undefined, after: Uint8Array | null): boolean {
  return before === undefined || after === null ? before === (after ?? undefined) : Buffer.compare(before, after) === 0
}

function refuse(message: string): never {
  throw new CallError('EXPORT_REFUSED', message)
}
