import { strict as assert } from 'node:assert'
import { type Genesis, parseShardId, ROOT_REALM, ROOT_SHARD, toHex } from '../../../protocol/index.ts'
import type { PlannedModule } from '../programs/program.ts'
import { checkCells, checkEvents, checkExports, checkOutcomes, isRefused, type PaperFollowUp } from './check.ts'
import { isIn, type Note, type Place } from './note.ts'
import { addTo, carriedBy, type PaperBlock, type PaperShard, runOnPaper } from './paper-block.ts'
import { PaperCells } from './paper-cells.ts'
import { PaperSet } from './paper-modules.ts'
import { PaperRun } from './paper-run.ts'
import { RootHistory } from './root-history.ts'
import { type RootTerms, rootOnPaper } from './root-on-paper.ts'
import type { StoredBlock, StoredRoot } from './stored.ts'

/** The network's own terms. */
export interface PaperTerms extends RootTerms {
  readonly genesis: Genesis
  readonly depositPerByte: bigint
  readonly treasury: Place
  /** All coins there are. */
  readonly supply: bigint
  /** The random modules, and the calls of which senders believe that they make salted cells. */
  readonly plans: readonly PlannedModule[]
  readonly salted: ReadonlySet<string>
}

/** How a transaction that is in a block stands. */
interface Standing {
  open: number
  isRefused: boolean
}

/**
 * The ledger as one person could keep it, in one book, message by message: which transactions came in which order it
 * takes from the blocks, everything else it works out by itself, and it stops at the first thing that the ledger says
 * otherwise.
 */
export class PaperLedger {
  readonly cells = new PaperCells()
  readonly history: RootHistory
  readonly #terms: PaperTerms
  readonly #rootSet: PaperSet
  readonly #shards = new Map<string, PaperShard>()
  readonly #standings = new Map<string, Standing>()
  /** What each root block brings to shards, by height. */
  readonly #brings: Note[][] = []
  /** The root blocks that it followed. */
  readonly #roots: Pick<StoredRoot, 'random' | 'time'>[] = []
  /** What the last root block's call sent: the next one brings it. */
  #released: readonly Note[] = []
  /** Messages between shards, and what they carry. */
  readonly #onTheWay = { notes: 0, coins: 0n }
  readonly counts = {
    blocks: 0,
    messages: 0,
    waited: 0,
    refused: 0,
    broken: 0,
    bounces: 0,
    told: 0,
    undone: 0,
    sends: 0,
  }

  constructor(terms: PaperTerms) {
    this.#terms = terms
    const { genesis, plans, salted } = terms
    this.history = new RootHistory(genesis, plans, salted)
    this.#rootSet = new PaperSet(rootOnPaper(this.history.pages, terms))
    for (const { realm, id, owner, balance, value } of genesis.cells)
      this.cells.put({ realm, id, owner, balance, value, lanes: new Map() })
  }

  /** The last root block that it followed; -1 before the first. */
  get height(): number {
    return this.#brings.length - 1
  }

  /** As `Ledger.states` would say it; undefined if it is in no block. */
  statusOf(id: Uint8Array): 'INCLUDED' | 'EXECUTED' | 'FAILED' | undefined {
    const found = this.#standings.get(toHex(id))
    if (found === undefined) return undefined
    return found.open > 0 ? 'INCLUDED' : found.isRefused ? 'FAILED' : 'EXECUTED'
  }

  /** True if it is in a block, and nothing of it is open. */
  isFinal(id: Uint8Array): boolean {
    return this.#standings.get(toHex(id))?.open === 0
  }

  /** True if nothing is on its way between shards, and nothing waits in one. */
  get isQuiet(): boolean {
    return this.#onTheWay.notes === 0 && [...this.#shards.values()].every(({ waiting }) => waiting.length === 0)
  }

  /** Follows the next root block and the blocks that it lists. @throws AssertionError at the first difference */
  follow(root: StoredRoot): void {
    const { height, blocks } = root
    assert.equal(height, this.height + 1, 'root blocks come one after the other')
    this.#roots.push({ random: root.random, time: root.time })
    const released = this.#released
    if (height === 0) for (const block of blocks) this.#open(block)
    else {
      this.#runRoot(root)
      const sent = blocks.flatMap((block) => this.#block(block, root.time))
      this.#brings[height] = [...sent, ...released]
    }
    this.#brings[height] ??= []
  }

  /** All coins are somewhere. */
  checkSupply(): void {
    const waiting = [...this.#shards.values()].flatMap((shard) => shard.waiting)
    const held = this.cells.worth(this.#terms.depositPerByte)
    assert.equal(held + this.#onTheWay.coins + carriedBy(waiting), this.#terms.supply, 'the supply')
  }

  /** What was sent to the root chain a root block ago is executed. */
  #runRoot(root: StoredRoot): void {
    const { height, time, random } = root
    const { depositPerByte } = this.#terms
    const before = this.history.exports
    const around = {
      ...{ shard: ROOT_SHARD, realm: ROOT_REALM, height, time, random, depositPerByte },
      realms: this.history.at(height - 1).realms,
      versionsOf: () => 0,
    }
    this.cells.turnPage()
    const run = new PaperRun(this.cells, this.#rootSet, around, ({ realm }) => realm === ROOT_REALM)
    const followUps = new Map<string, PaperFollowUp>()
    const arrived = (this.#brings[height - 1] ?? []).filter(({ to }) => to.realm === ROOT_REALM)
    for (const note of arrived) addTo(followUps, note, run.message(note))
    this.#travel(arrived, run.sent)
    this.#released = run.sent
    checkOutcomes(root, [...followUps.values()])
    checkEvents(root, run.events)
    checkCells(root, ROOT_REALM, this.cells)
    checkExports(height, root.exports, before, this.history.exports)
    this.#settle([...followUps.values()])
    this.history.keep(height)
  }

  /** Runs a block that a root block of this time lists, and gives what it sent to other shards. */
  #block(stored: StoredBlock, listed: number): readonly Note[] {
    const shard = this.#shards.get(stored.shard)
    if (shard === undefined) {
      this.#open(stored)
      return []
    }
    const { rootCursor, time } = stored.header
    const place = `${shard.id}/${stored.height}`
    assert.equal(stored.height, shard.height + 1, `${place}: height`)
    const root = this.#roots[rootCursor]
    assert.ok(root !== undefined && rootCursor >= shard.cursor && rootCursor < this.#brings.length, `${place}: cursor`)
    assert.ok(time >= shard.time && time >= root.time && time <= listed, `${place}: time`)
    const until = this.history.pages.shards.get(shard.id)?.until ?? Number.POSITIVE_INFINITY
    assert.ok(shard.cursor < until && rootCursor <= until, `${place}: its children go on`)
    const brought = this.#brings.slice(shard.cursor + 1, rootCursor + 1).flat()
    const arrived = brought.filter(({ to }) => isIn(to, shard))
    const { cells, history } = this
    const { depositPerByte, treasury } = this.#terms
    const made = runOnPaper(shard, stored, {
      ...{ cells, depositPerByte, treasury },
      view: history.at(rootCursor),
      set: history.setAt(rootCursor),
      random: root.random,
      arrived,
    })
    checkOutcomes(stored, made.followUps)
    this.#travel(arrived, made.sent)
    this.#count(stored, made, shard, arrived.length)
    for (const { id, remote, isRefused } of made.included) {
      assert.ok(this.statusOf(id) === undefined, `${toHex(id)} is in one block only`)
      this.#standings.set(toHex(id), { open: remote, isRefused })
    }
    this.#settle(made.followUps)
    return made.sent
  }

  /** The first block of a shard: of genesis, of a realm that was made, or of one half of a shard that is over. */
  #open({ shard: id, height, header }: StoredBlock): void {
    const entry = this.history.pages.shards.get(id)
    assert.ok(entry !== undefined, `there is no shard ${id}`)
    const { realm, prefix } = parseShardId(id)
    const parent = entry.parent === null ? undefined : this.#shards.get(entry.parent)
    const space = { id, realm, prefix }
    assert.ok(parent === undefined || parent.cursor === entry.from, `${id} begins where its parent ends`)
    assert.equal(height, parent === undefined ? 0 : parent.height + 1, `height of the first block of ${id}`)
    assert.deepEqual([header.rootCursor, header.txCount, header.arrivals], [entry.from, 0, parent?.arrivals ?? 0])
    const waiting = (parent?.waiting ?? []).filter(({ to }) => isIn(to, space))
    if (parent !== undefined) parent.waiting = parent.waiting.filter(({ to }) => !isIn(to, space))
    const arrivals = header.arrivals
    this.#shards.set(id, { ...space, height, cursor: entry.from, time: header.time, arrivals, waiting })
  }

  #travel(arrived: readonly Note[], sent: readonly Note[]): void {
    this.#onTheWay.notes += sent.length - arrived.length
    this.#onTheWay.coins += carriedBy(sent) - carriedBy(arrived)
  }

  #settle(followUps: readonly PaperFollowUp[]): void {
    for (const { transaction, delta, outcomes } of followUps) {
      const standing = this.#standings.get(toHex(transaction))
      assert.ok(standing !== undefined, `${toHex(transaction)} did something before it was in a block`)
      standing.open += delta
      standing.isRefused ||= isRefused(outcomes)
      assert.ok(standing.open >= 0, `${toHex(transaction)} has more ends than beginnings`)
    }
  }

  #count(stored: StoredBlock, { followUps, sent, told }: PaperBlock, { waiting }: PaperShard, arrived: number): void {
    const all = followUps.flatMap(({ outcomes }) => outcomes)
    this.counts.blocks++
    this.counts.messages += arrived
    this.counts.sends += sent.length
    this.counts.told += told.all
    this.counts.undone += told.undone
    if (waiting.length > 0) this.counts.waited++
    this.counts.refused += all.filter(({ status }) => status === 1).length
    this.counts.bounces += all.filter(({ kind }) => kind === 1).length
    const codes = [
      ...all.map(({ code }) => code),
      ...stored.receipts.flatMap(({ errors }) => errors.map((e) => e.code)),
    ]
    this.counts.broken += codes.filter((code) => code === 'MODULE_FAULT').length
  }
}
