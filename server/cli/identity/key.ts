import { type Command, InvalidArgumentError, Option } from 'commander'
import type { KeyOptions, KeyRecord } from '../../auth/index.ts'
import { answering, type Streams } from '../output.ts'
import type { NodeFlags } from './node-database.ts'

interface CreateFlags extends NodeFlags {
  readonly name: string
  readonly scopes?: readonly string[]
  readonly account?: Uint8Array
  readonly newAccount?: string
  readonly expires?: Date
  readonly rate?: number
  readonly calls?: readonly string[]
  readonly capTotal?: bigint
  readonly capDaily?: bigint
}

/** Rates of keys that the command line makes are the operator's own choice. */
const ANY_RATE = { rate: { perSecond: 1_000_000, burst: 1_000_000 } }

/** `deaios key create | list | revoke`: works on the node's database, so whoever may read that needs no key. */
export function addKey(program: Command, streams: Streams): void {
  const key = program.command('key').description('API keys of this node')
  addCreate(key, streams)
  addList(key, streams)
  addRevoke(key, streams)
}

function addCreate(key: Command, streams: Streams): void {
  const create = atNode(key.command('create').description('make an API key; it is shown once'))
    .option('--name <text>', 'for people', 'operator')
    .option('--scopes <list>', 'what it may do, like jobs:read,audit:read (default *: everything)', words)
    .option('--account <address>', 'the account that it acts for (default none: an operator key)', address)
    .addOption(new Option('--new-account <name>', 'make a custodial account for it').conflicts('account'))
    .option(
      '--calls <list>',
      'what it may sign, like account.credit,market.* (default all; payments only with a cap)',
      words,
    )
    .option('--expires <when>', 'like 30d, 12h or 2030-01-31 (default never)', moment)
    .option('--rate <number>', 'requests a second (default no limit)', whole)
    .option('--cap-total <units>', 'what it may spend in all', amount)
    .option('--cap-daily <units>', 'what it may spend in a day (UTC)', amount)
  answering(create, streams, async (command) => {
    const flags = command.opts<CreateFlags>()
    const { AuditLog, CONSOLE, createAccount, createKey, masterKeysOf, Vault } = await import('../../auth/index.ts')
    const { withNodeDatabase } = await import('./node-database.ts')
    const { systemClock } = await import('../../host/clock.ts')
    const { silentLog } = await import('../../log.ts')
    const made = await withNodeDatabase(flags, (sql, config) =>
      sql.begin(async (tx) => {
        const now = systemClock.now()
        const account =
          flags.newAccount === undefined
            ? (flags.account ?? null)
            : (
                await createAccount(tx, new Vault(masterKeysOf(config)), {
                  owner: null,
                  name: flags.newAccount,
                  createdAt: new Date(now),
                })
              ).address
        const created = await createKey(tx, CONSOLE, optionsOf(flags, account), now, ANY_RATE)
        const audit = new AuditLog(sql, systemClock, silentLog)
        const { id, scopes } = created.key
        await audit.record(tx, CONSOLE, { action: 'createApiKey', target: id, details: { scopes } })
        return created
      }),
    )
    const { id, name, scopes, account, expiresAt } = made.key
    return {
      json: { id, key: made.token, token: made.token, name, scopes, account, expiresAt },
      text: [
        made.token,
        '',
        `It is shown only now. Its scopes: ${scopes.join(' ') || 'none'}${account === null ? '' : `; its account: ${hex(account)}`}`,
        `Send it as the header \`authorization: Bearer ${made.token.slice(0, 8)}...\``,
      ].join('\n'),
    }
  })
}

function addList(key: Command, streams: Streams): void {
  const list = atNode(key.command('list').description('all API keys, oldest first'))
  answering(list, streams, async (command) => {
    const { listKeys } = await import('../../auth/index.ts')
    const { withNodeDatabase } = await import('./node-database.ts')
    const keys = await withNodeDatabase(command.opts<NodeFlags>(), async (sql) => {
      const found: KeyRecord[] = []
      for (;;) {
        const page = await listKeys(sql, undefined, 500, found.at(-1))
        found.push(...page)
        if (page.length < 500) return found
      }
    })
    return { json: keys.map(described), text: keys.map(line).join('\n') || 'no keys' }
  })
}

function addRevoke(key: Command, streams: Streams): void {
  const revoke = atNode(
    key
      .command('revoke')
      .argument('<id>', 'as `key list` shows it')
      .description('end a key, and what was made by it, at once'),
  )
  answering(revoke, streams, async (command) => {
    const { AuditLog, CONSOLE, revokeKey } = await import('../../auth/index.ts')
    const { withNodeDatabase } = await import('./node-database.ts')
    const { systemClock } = await import('../../host/clock.ts')
    const { silentLog } = await import('../../log.ts')
    const [id = ''] = command.args
    const revoked = await withNodeDatabase(command.opts<NodeFlags>(), (sql) =>
      sql.begin(async (tx) => {
        const ended = await revokeKey(tx, CONSOLE, id)
        await new AuditLog(sql, systemClock, silentLog).record(tx, CONSOLE, { action: 'revokeApiKey', target: id })
        return ended
      }),
    )
    return { json: described(revoked), text: `${revoked.id} is revoked` }
  })
}

/** Adds the options that say which node it is. */
export const atNode = (command: Command): Command =>
  command
    .option('--data <folder>', 'where the node keeps everything (DEAIOS_DATA; default .deaios)')
    .option('--config <file>', 'the config file (default deaios.config.ts)')

function optionsOf(flags: CreateFlags, account: Uint8Array | null): KeyOptions {
  return {
    name: flags.name,
    account,
    scopes: flags.scopes ?? (account === null ? ['*'] : ['keys:read', 'keys:write', 'wallet:send']),
    calls: flags.calls ?? null,
    expiresAt: flags.expires ?? null,
    rate: flags.rate === undefined ? null : { perSecond: flags.rate, burst: Math.min(flags.rate * 2, 1_000_000) },
    capTotal: flags.capTotal ?? null,
    capDaily: flags.capDaily ?? null,
  }
}

const described = (key: KeyRecord) => ({
  id: key.id,
  name: key.name,
  scopes: key.scopes,
  account: key.account,
  madeBy: key.ancestors.at(-1) ?? null,
  createdAt: key.createdAt,
  expiresAt: key.expiresAt,
  revokedAt: key.revokedAt,
  capTotal: key.capTotal,
  capDaily: key.capDaily,
  spentTotal: key.spentTotal,
})

function line({ id, name, scopes, account, expiresAt, revokedAt }: KeyRecord): string {
  const state =
    revokedAt !== null
      ? 'revoked'
      : expiresAt === null
        ? 'good'
        : `${expiresAt.getTime() > Date.now() ? 'until' : 'expired'} ${expiresAt.toISOString().slice(0, 16)}`
  return `${id}  ${state.padEnd(7)}  ${name}  ${account === null ? 'operator' : hex(account)}  ${scopes.join(' ')}`
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
const words = (text: string): readonly string[] => text.split(',').map((word) => word.trim())

function address(text: string): Uint8Array {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return Buffer.from(text.slice(2), 'hex')
  throw new InvalidArgumentError('It must be an address: 0x and 64 hex digits.')
}

function whole(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999.')
}

function amount(text: string): bigint {
  if (/^[0-9]{1,38}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('It must be a whole number of units.')
}

function moment(text: string): Date {
  const [, count, unit] = /^([1-9][0-9]{0,4})([dh])$/.exec(text) ?? []
  if (count !== undefined) return new Date(Date.now() + Number(count) * (unit === 'd' ? 86_400_000 : 3_600_000))
  const date = new Date(text)
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date
  throw new InvalidArgumentError('It must be like 30d, 12h or 2030-01-31.')
}
