import { cellId, decodeGenesis, encodeCell, type Genesis, type GenesisCell, networkId } from '../../protocol/index.ts'
import type { LedgerModule } from './ledger/module.ts'
import type { RootRules } from './ledger/root-context.ts'
import type { LedgerParams } from './shard/ledger-rules.ts'
import { openRecord } from './state/ledger-cell.ts'

/** Units of one DEA. */
export const UNITS = 10n ** 9n
const SUPPLY = 10n ** 9n * UNITS
const FAUCET_SHARE = (SUPPLY * 9n) / 10n
const REALM_BOND = 1000n * UNITS
const MAX_SHARDS = 64
const NO_SALT = new Uint8Array(0)

/** What the configuration says about a network that does not exist yet. */
export interface GenesisPlan {
  readonly name: string
  readonly kind: 'development' | 'production'
  /** Shards of realm 0; a power of two. */
  readonly shards: number
  /** Units for one unit of weight. */
  readonly basePrice: bigint
  /** Units for one byte of a cell's value. */
  readonly depositPerByte: bigint
  /** What the faucet gives at a time, in units. */
  readonly drip: bigint
  /** What the creator of a realm leaves with the root chain for each of its first shards, in units. */
  readonly realmBond?: bigint
  /** Shards that may live at a time, all realms together. */
  readonly maxShards?: number
  /** Accounts that hold coins from the start; taken out of the operator's. */
  readonly accounts: readonly { readonly address: Uint8Array; readonly balance: bigint }[]
}

/** The cell that fees go to. */
export const treasuryId = (operator: Uint8Array): Uint8Array => cellId('treasury', operator, NO_SALT)

/** The faucet's cell. */
export const faucetId = (operator: Uint8Array): Uint8Array => cellId('faucet', operator, NO_SALT)

/** Makes the genesis document of a new network with one validator, the operator. */
export function planGenesis(
  plan: GenesisPlan,
  parts: { operator: Uint8Array; anchor: Uint8Array; modules: readonly LedgerModule[]; time: number },
): Genesis {
  const { operator } = parts
  const granted = plan.accounts.reduce((sum, account) => sum + account.balance, 0n)
  const faucetCells: GenesisCell[] =
    plan.kind === 'development'
      ? [
          {
            realm: 0,
            id: faucetId(operator),
            owner: 'faucet',
            balance: FAUCET_SHARE,
            value: { drip: plan.drip, signer: operator },
          },
        ]
      : []
  const inFaucet = faucetCells.reduce((sum, cell) => sum + worthOf(cell, plan.depositPerByte), 0n)
  const rest = SUPPLY - inFaucet - granted
  if (rest < 0n) throw new RangeError(`the genesis accounts hold ${granted}, more than the supply leaves them`)
  return {
    name: plan.name,
    kind: plan.kind,
    time: parts.time,
    validators: [operator],
    quorum: 1,
    anchor: parts.anchor,
    params: {
      basePrice: plan.basePrice,
      depositPerByte: plan.depositPerByte,
      treasury: treasuryId(operator),
      realmBond: plan.realmBond ?? REALM_BOND,
      maxShards: plan.maxShards ?? MAX_SHARDS,
    },
    shards: shardIds(plan.shards),
    cells: [
      { realm: 0, id: operator, owner: 'account', balance: rest, value: null },
      ...faucetCells,
      ...plan.accounts.map(({ address, balance }) => ({
        realm: 0,
        id: address,
        owner: 'account',
        balance,
        value: null,
      })),
    ],
    modules: parts.modules.map(({ name, version }) => ({ name, version, activeFrom: 0 })),
  }
}

/** The ids of `count` equal shards of realm 0: `0:0` and `0:1` for two. */
function shardIds(count: number): string[] {
  const bits = Math.log2(count)
  return Array.from({ length: count }, (_, i) => `0:${bits === 0 ? '' : i.toString(2).padStart(bits, '0')}`)
}

/** A genesis document as a node uses it. */
export interface Network {
  readonly id: Uint8Array
  readonly genesis: Genesis
  readonly params: LedgerParams
  readonly rules: RootRules
  /** Balances and deposits of all genesis cells; it never changes. */
  readonly supply: bigint
}

/** Reads a stored genesis document. @throws CodecError */
export function openGenesis(document: Uint8Array): Network {
  const genesis = decodeGenesis(document)
  const { basePrice, depositPerByte, treasury, realmBond = REALM_BOND, maxShards = MAX_SHARDS } = genesis.params
  if (!isAmount(basePrice) || !isAmount(depositPerByte) || !(treasury instanceof Uint8Array)) {
    throw new TypeError('the genesis parameters basePrice, depositPerByte and treasury are missing')
  }
  const params = {
    basePrice: BigInt(basePrice),
    depositPerByte: BigInt(depositPerByte),
    treasury: { realm: 0, id: treasury },
  }
  if (!isAmount(realmBond) || typeof maxShards !== 'number') {
    throw new TypeError('the genesis parameters realmBond and maxShards are numbers')
  }
  const rules = { validators: genesis.validators, realmBond: BigInt(realmBond), maxShards }
  let supply = 0n
  for (const cell of genesis.cells) supply += worthOf(cell, params.depositPerByte)
  return { id: networkId(document), genesis, params, rules, supply }
}

/** Balance and deposit. */
const worthOf = (cell: GenesisCell, depositPerByte: bigint): bigint =>
  cell.balance + depositPerByte * BigInt(openRecord(encodeCell(cell)).depositBytes)

const isAmount = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'
