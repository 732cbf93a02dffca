import { apiError, type Builder, type Principal } from '../../../schema/index.ts'
import type { AuditEntry } from '../../plugin/custody.ts'
import type { Log } from '../../plugin/host.ts'
import type { Transaction } from '../../plugin/sql.ts'
import { type CustodialAccount, createAccount, exportAccount } from '../accounts.ts'
import { CANNOT_OPEN } from '../custody.ts'
import { IdentityError, KeystoreError } from '../errors.ts'
import type { Identity } from '../identity.ts'
import { createKey, type KeyOptions, type KeyRecord, revokeKey } from '../keys.ts'
import { CREATE_ACCOUNTS, FIRST_KEY_SCOPES } from '../scopes.ts'
import type { Session } from '../sessions.ts'
import { thirtyTwoBytes } from './queries.ts'
import type { IdentityTypes, Refused } from './types.ts'

type Done<T> = T & { readonly kind: 'done' }

/** What is asked of a new key; `null` and absent are the same. */
interface KeyInput {
  readonly name: string
  readonly scopes: readonly string[]
  readonly calls?: readonly string[] | null | undefined
  readonly expiresAt?: Date | null | undefined
  readonly requestsPerSecond?: number | null | undefined
  readonly burst?: number | null | undefined
  readonly capTotal?: bigint | null | undefined
  readonly capDaily?: bigint | null | undefined
}

/** What can be done about identities. */
export function defineMutations(builder: Builder, types: IdentityTypes, identity: () => Identity): void {
  const { refused } = types
  const signedIn = builder.objectRef<Done<Session>>('SignedIn').implement({
    description: 'Send the token as `authorization: Bearer ...`.',
    fields: (t) => ({
      token: t.exposeString('token', { nullable: false, description: 'The session, until `expiresAt`.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'Sign in again before.' }),
      address: t.expose('address', { type: 'Bytes', nullable: false, description: 'The account that is signed in.' }),
    }),
  })
  const created = builder.objectRef<Done<{ key: KeyRecord; token: string }>>('ApiKeyCreated').implement({
    description: 'The key is made.',
    fields: (t) => ({
      key: t.field({
        type: types.apiKey,
        nullable: false,
        description: 'What is shown of it from now on.',
        resolve: ({ key }) => key,
      }),
      token: t.exposeString('token', { nullable: false, description: 'The key itself. It is never shown again.' }),
    }),
  })
  const revoked = builder.objectRef<Done<{ key: KeyRecord }>>('ApiKeyRevoked').implement({
    description: 'The key has ended, with all that were made by it.',
    fields: (t) => ({
      key: t.field({
        type: types.apiKey,
        nullable: false,
        description: 'As it stands now.',
        resolve: ({ key }) => key,
      }),
    }),
  })
  const opened = builder
    .objectRef<Done<{ account: CustodialAccount; key: KeyRecord; token: string }>>('AccountCreated')
    .implement({
      description: 'The account is made, with its first key.',
      fields: (t) => ({
        account: t.field({
          type: types.account,
          nullable: false,
          description: 'As it stands now.',
          resolve: ({ account }) => account,
        }),
        key: t.field({
          type: types.apiKey,
          nullable: false,
          description: 'Its first key, as it is shown from now on.',
          resolve: ({ key }) => key,
        }),
        token: t.exposeString('token', { nullable: false, description: 'The key itself. It is never shown again.' }),
      }),
    })
  const exported = builder.objectRef<Done<{ address: Uint8Array; seed: string }>>('WalletExported').implement({
    description: 'The secret of an account, given out.',
    fields: (t) => ({
      address: t.expose('address', {
        type: 'Bytes',
        nullable: false,
        description: 'The account: its public key, 32 bytes.',
      }),
      seed: t.exposeString('seed', {
        nullable: false,
        description: 'Whoever has it has the account: 32 bytes, 0x-hex.',
      }),
    }),
  })
  const keyInput = builder.inputType('ApiKeyOptions', {
    description: 'What a new key may do: at most what its maker may.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'For people.' }),
      scopes: t.stringList({ required: true, description: 'Like `keys:read`.' }),
      calls: t.stringList({
        description:
          'Calls of ledger modules that `send` signs for it, like `account.credit` or `market.*`. If absent all; but only `account.credit` for a key with a cap, which counts coins.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'Never if absent.' }),
      requestsPerSecond: t.int({ description: "On average; the node's default if absent." }),
      burst: t.int({ description: 'Requests at once; twice `requestsPerSecond` if absent.' }),
      capTotal: t.field({ type: 'BigInt', description: 'Units that it may spend in all; no cap if absent.' }),
      capDaily: t.field({ type: 'BigInt', description: 'Units that it may spend in a day (UTC); no cap if absent.' }),
    }),
  })

  builder.mutationFields((t) => ({
    signIn: t.field({
      type: builder.unionType('SignInResult', {
        description: 'What came of `signIn`.',
        types: [signedIn, refused],
        resolveType: ({ kind }) => (kind === 'done' ? 'SignedIn' : 'IdentityRefused'),
      }),
      nullable: false,
      description: 'Signs in with a wallet; see `signInChallenge`.',
      args: {
        challenge: t.arg.string({ required: true, description: 'As `signInChallenge` gave it.' }),
        audience: t.arg.string({ required: true, description: 'Host and port of this server, as they were signed.' }),
        signature: t.arg({ type: 'Bytes', required: true, description: 'By the key of its address: 64 bytes.' }),
      },
      complexity: 10,
      resolve: (_root, { challenge, audience, signature }) =>
        told(identity().log, () => identity().sessions.signIn(challenge, audience, signature)),
    }),
    createAccount: t.field({
      type: builder.unionType('CreateAccountResult', {
        description: 'What came of `createAccount`.',
        types: [opened, refused],
        resolveType: ({ kind }) => (kind === 'done' ? 'AccountCreated' : 'IdentityRefused'),
      }),
      nullable: false,
      authScopes: { scope: CREATE_ACCOUNTS },
      description:
        'Makes an account whose secret the node keeps, and its first API key. On development networks the faucet can pay it.',
      args: {
        name: t.arg.string({ required: true, description: 'For people.' }),
        key: t.arg({
          type: keyInput,
          description: 'Its first key; if absent, one that can do all but export the wallet.',
        }),
      },
      complexity: 10,
      resolve: (_root, { name, key }, { principal }) =>
        privileged(identity(), principal, 'createAccount', async (tx, now) => {
          const { vault, keyRate } = identity()
          const account = await createAccount(tx, vault, {
            owner: principal.account,
            name,
            createdAt: new Date(now),
          })
          const options = optionsOf(key ?? { name: 'first key', scopes: FIRST_KEY_SCOPES }, account.address, keyRate)
          const maker = ownerOf(principal, identity().accountScopes)
          const made = await createKey(tx, maker, options, now, { rate: keyRate, isFirst: true })
          return [
            { account, ...made },
            { target: hex(account.address), details: { key: made.key.id, scopes: made.key.scopes } },
          ]
        }),
    }),
    createApiKey: t.field({
      type: builder.unionType('CreateApiKeyResult', {
        description: 'What came of `createApiKey`.',
        types: [created, refused],
        resolveType: ({ kind }) => (kind === 'done' ? 'ApiKeyCreated' : 'IdentityRefused'),
      }),
      nullable: false,
      authScopes: { scope: 'keys:write' },
      description:
        'Makes an API key. It can do at most what its maker can; a key that was made by a key spends and asks on that one, too, and ends with it.',
      args: {
        account: t.arg({ type: 'Bytes', description: "That it acts for; the caller's if absent." }),
        key: t.arg({ type: keyInput, required: true, description: 'What it may do, and for how long.' }),
      },
      complexity: 10,
      resolve: (_root, { account, key }, { principal }) =>
        privileged(identity(), principal, 'createApiKey', async (tx, now) => {
          const { keyRate } = identity()
          const whose = account == null ? principal.account : thirtyTwoBytes(account)
          const made = await createKey(tx, principal, optionsOf(key, whose, keyRate), now, { rate: keyRate })
          return [made, { target: made.key.id, details: { account: whose && hex(whose), scopes: made.key.scopes } }]
        }),
    }),
    revokeApiKey: t.field({
      type: builder.unionType('RevokeApiKeyResult', {
        description: 'What came of `revokeApiKey`.',
        types: [revoked, refused],
        resolveType: ({ kind }) => (kind === 'done' ? 'ApiKeyRevoked' : 'IdentityRefused'),
      }),
      nullable: false,
      authScopes: { scope: 'keys:write' },
      description: 'Ends a key, and the keys that were made by it, at once. Their open subscriptions end, too.',
      args: { id: t.arg.id({ required: true, description: 'As `apiKeys` lists it.' }) },
      resolve: async (_root, { id }, { principal }) => {
        const result = await privileged(identity(), principal, 'revokeApiKey', async (tx) => [
          { key: await revokeKey(tx, principal, id) },
          { target: id.slice(0, 64) },
        ])
        if (result.kind === 'done') await identity().revoked(result.key.id)
        return result
      },
    }),
    exportWallet: t.field({
      type: builder.unionType('ExportWalletResult', {
        description: 'What came of `exportWallet`.',
        types: [exported, refused],
        resolveType: ({ kind }) => (kind === 'done' ? 'WalletExported' : 'IdentityRefused'),
      }),
      nullable: false,
      authScopes: { scope: 'wallet:export' },
      description: 'Gives the secret of a custodial account out, to take it into a wallet of your own.',
      args: { address: t.arg({ type: 'Bytes', description: "The caller's account if absent." }) },
      complexity: 10,
      resolve: (_root, { address }, { principal }) =>
        privileged(identity(), principal, 'exportWallet', async (tx, now) => {
          const whose = thirtyTwoBytes(address ?? principal.account ?? new Uint8Array(32))
          const seed = await exportAccount(tx, identity().vault, principal, whose, new Date(now))
          return [{ address: whose, seed }, { target: hex(whose) }]
        }),
    }),
  }))
}

/**
 * Does something that needs a privilege: in a transaction, together with its entry in the audit log. A refusal is
 * written down, too.
 */
async function privileged<T extends object>(
  identity: Identity,
  principal: Principal,
  action: string,
  work: (tx: Transaction, now: number) => Promise<readonly [done: T, entry: Omit<AuditEntry, 'action'>]>,
): Promise<Done<T> | Refused> {
  const { sql, audit, clock, log } = identity
  if (leavesRows(action)) identity.pace(principal)
  else identity.paceOwn(principal)
  const result = await told(log, () =>
    sql.begin(async (tx) => {
      const [done, entry] = await work(tx, clock.now())
      await audit.record(tx, principal, { ...entry, action })
      return done
    }),
  )
  if (result.kind === 'refused') await audit.refused(principal, { action, code: result.code })
  return result
}

/** What makes keys and accounts is held back for all together; what ends or saves something never is by others. */
const leavesRows = (action: string): boolean => action === 'createAccount' || action === 'createApiKey'

async function told<T extends object>(log: Log, work: () => Promise<T>): Promise<Done<T> | Refused> {
  try {
    return { ...(await work()), kind: 'done' }
  } catch (error) {
    if (error instanceof KeystoreError) {
      log.error({ error }, "an account's secret cannot be opened")
      throw apiError('KEYSTORE_UNAVAILABLE', CANNOT_OPEN)
    }
    if (!(error instanceof IdentityError)) throw error
    return { kind: 'refused', code: error.code, message: error.message }
  }
}

/** Whoever makes an account may give its first key all that an account can do, even if they cannot do it elsewhere. */
const ownerOf = (principal: Principal, accountScopes: readonly string[]): Principal => ({
  ...principal,
  can: (scope) => accountScopes.includes(scope) || principal.can(scope),
})

function optionsOf(input: KeyInput, account: Uint8Array | null, { perSecond, burst }: Identity['keyRate']): KeyOptions {
  const { name, scopes, calls, expiresAt, requestsPerSecond, capTotal, capDaily } = input
  const rate =
    requestsPerSecond == null
      ? { perSecond, burst: input.burst ?? burst }
      : {
          perSecond: requestsPerSecond,
          burst: input.burst ?? Math.max(requestsPerSecond, Math.min(requestsPerSecond * 2, burst)),
        }
  return {
    name,
    account,
    scopes,
    calls: calls ?? null,
    expiresAt: expiresAt ?? null,
    rate,
    capTotal: capTotal ?? null,
    capDaily: capDaily ?? null,
  }
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
