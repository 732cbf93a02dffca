import nacl from 'tweetnacl'
import { decodeTransaction, fromHex, signingBytesOf, type Transaction, toHex } from '../../protocol/index.ts'

type Status = 'PENDING' | 'INCLUDED' | 'EXECUTED' | 'FAILED' | 'EXPIRED' | 'REPLACED' | 'EVICTED'

interface Entry {
  readonly transaction: Transaction
  status: Status
}

const NETWORK = new Uint8Array(32).fill(7)

/** A ledger with the rules that a client meets: ids, nonces, waiting, refusals. Balances are only ever counted up. */
export class FakeLedger {
  /** Values received, by the receiver's address. */
  readonly received = new Map<string, bigint>()
  /** Values in the order in which they were executed. */
  readonly order: bigint[] = []
  /** What a transaction that is executed becomes. */
  outcome: Status = 'EXECUTED'
  /** Transactions are taken but not included while this is false. */
  running = true
  /** The status that a transaction has when it is included, until `finish`: for what takes a second shard. */
  sent = false
  /** What a transaction costs; it may change while one is signed. */
  fee = 1700n
  /** Refuses what is sent to this value. */
  refusedValue: bigint | undefined
  readonly entries = new Map<string, Entry>()
  readonly #next = new Map<string, number>()
  #changed: (() => void)[] = []

  async answer(name: string, variables: Record<string, unknown>): Promise<object> {
    switch (name) {
      case 'Network': {
        const network = { id: toHex(NETWORK), name: 'fake', version: '1.0.0', rootHeight: '100', shardCount: 2 }
        return { data: { network } }
      }
      case 'Account':
        return { data: { account: variables.realm === 0 ? this.#account(String(variables.address)) : null } }
      case 'Transaction':
        return { data: { transaction: this.#parts(String(variables.id)) } }
      case 'SubmitTransaction':
        return { data: { submitTransaction: this.submit(String(variables.transaction)) } }
      case 'SubmitTransactions': {
        const wires = variables.transactions as string[]
        return { data: { submitTransactions: wires.map((wire) => this.submit(wire)) } }
      }
      case 'Simulate':
        return {
          data: { simulate: { __typename: 'SimulationDone', fee: String(this.fee), weight: '17', actions: [] } },
        }
      case 'Faucet':
        return { data: { faucet: { __typename: 'TransactionRefused', code: 'NO_FAUCET', message: 'there is none' } } }
      default:
        return { errors: [{ message: `no operation ${name}`, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] }
    }
  }

  /** Takes a transaction as a node does. */
  submit(hex: string): object {
    const transaction = decodeTransaction(fromHex(hex))
    const id = toHex(transaction.id)
    const known = this.entries.get(id)
    if (known !== undefined && known.status !== 'EVICTED') return this.#accepted(id, known, true)
    const { sender, lane, nonce, signature, key, actions, maxFee } = transaction
    if (toHex(transaction.network) !== toHex(NETWORK)) return refused('WRONG_NETWORK')
    if (!nacl.sign.detached.verify(signingBytesOf(transaction), signature, key)) return refused('BAD_SIGNATURE')
    if (maxFee < this.fee) return refused('FEE_TOO_LOW')
    if (actions.some((action) => action.value === this.refusedValue)) return refused('INSUFFICIENT_FUNDS')
    const next = this.nextNonce(toHex(sender), lane)
    if (nonce < next || this.#waiting(transaction)) return refused('NONCE_USED')
    if (nonce > next + 64) return refused('NONCE_TOO_FAR')
    const entry: Entry = { transaction, status: 'PENDING' }
    this.entries.set(id, entry)
    this.include()
    return this.#accepted(id, entry, false)
  }

  /** Includes what can be included: what has the next nonce of its lane. */
  include(): void {
    for (let again = this.running; again; ) {
      again = false
      for (const entry of this.entries.values()) {
        const { sender, lane, nonce } = entry.transaction
        if (entry.status !== 'PENDING' || nonce !== this.nextNonce(toHex(sender), lane)) continue
        this.useNonce(toHex(sender), lane)
        entry.status = this.sent ? 'INCLUDED' : this.outcome
        this.#execute(entry.transaction)
        again = true
      }
    }
    this.#announce()
  }

  /** Brings all that was included to its end. */
  finish(): void {
    for (const entry of this.entries.values()) if (entry.status === 'INCLUDED') entry.status = this.outcome
    this.#announce()
  }

  /** Ends what waits, without including it. */
  drop(status: Status): void {
    for (const entry of this.entries.values()) if (entry.status === 'PENDING') entry.status = status
    this.#announce()
  }

  /** Forgets what waits, as a node does that is killed. */
  forget(): void {
    for (const [id, entry] of this.entries) if (entry.status === 'PENDING') this.entries.delete(id)
    this.#announce()
  }

  /** Uses up the next nonce of a lane, as another program of the same account would. */
  useNonce(sender: string, lane: number): void {
    this.#next.set(`${sender} ${lane}`, this.nextNonce(sender, lane) + 1)
  }

  nextNonce(sender: string, lane: number): number {
    return this.#next.get(`${sender} ${lane}`) ?? 0
  }

  /** The states of a transaction until the last. */
  async *watch(id: string): AsyncGenerator<unknown> {
    for (let last = ''; ; ) {
      const parts = this.#parts(id)
      if (parts === null) throw Object.assign(new Error('unknown'), { code: 'TRANSACTION_UNKNOWN' })
      if (parts.status !== last) yield { transaction: parts }
      last = parts.status
      if (last !== 'PENDING' && last !== 'INCLUDED') return
      await new Promise<void>((resolve) => this.#changed.push(resolve))
    }
  }

  #execute({ actions }: Transaction): void {
    for (const { to, value } of actions) {
      this.received.set(toHex(to), (this.received.get(toHex(to)) ?? 0n) + value)
      this.order.push(value)
    }
  }

  #waiting({ sender, lane, nonce }: Transaction): boolean {
    return [...this.entries.values()].some(
      ({ status, transaction: other }) =>
        status === 'PENDING' && toHex(other.sender) === toHex(sender) && other.lane === lane && other.nonce === nonce,
    )
  }

  #accepted(id: string, { status }: Entry, duplicate: boolean): object {
    const at = status === 'PENDING' ? null : { shard: '0:0', height: '5' }
    return { __typename: 'TransactionAccepted', duplicate, transaction: { id, status }, at }
  }

  #parts(id: string) {
    const entry = this.entries.get(id)
    if (entry === undefined) return null
    const { status } = entry
    const error = status === 'FAILED' ? { code: 'NO_SUCH_CELL', message: 'nobody is there' } : null
    const included = status !== 'PENDING'
    return {
      status,
      error,
      fee: included ? String(this.fee) : null,
      shard: { id: '0:0' },
      block: included ? { height: '5' } : null,
    }
  }

  #account(address: string): object {
    const lanes = [...this.#next]
      .filter(([key]) => key.startsWith(`${address} `))
      .map(([key, nextNonce]) => ({ lane: Number(key.split(' ')[1]), nextNonce: String(nextNonce) }))
    return { balance: String(this.received.get(address) ?? 0n), lanes, shard: { id: '0:0' } }
  }

  #announce(): void {
    const changed = this.#changed
    this.#changed = []
    for (const wake of changed) wake()
  }
}

const refused = (code: string) => ({ __typename: 'TransactionRefused', code, message: `because of ${code}` })
