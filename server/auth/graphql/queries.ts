import { z } from 'zod'
import { apiError, type Builder, keysetCursor, pageCost, resolvePage } from '../../../schema/index.ts'
import { accountsOf, type CustodialAccount, findAccount, manages } from '../accounts.ts'
import { isKeyId } from '../api-key.ts'
import type { AuditRecord } from '../audit.ts'
import type { Identity } from '../identity.ts'
import { findKey, type KeyRecord, listKeys } from '../keys.ts'
import { ALL_SCOPES } from '../scopes.ts'
import type { Challenge } from '../sessions.ts'
import type { IdentityTypes } from './types.ts'

const keyCursor = keysetCursor(
  'api-key',
  z.tuple([z.iso.datetime(), z.string().refine(isKeyId)]),
  ({ createdAt, id }: KeyRecord) => [createdAt.toISOString(), id],
)
const accountCursor = keysetCursor(
  'custodial-account',
  z.tuple([z.string().regex(/^[0-9a-f]{64}$/)]),
  ({ address }: CustodialAccount) => [Buffer.from(address).toString('hex')],
)
const auditCursor = keysetCursor('audit', z.tuple([z.string().regex(/^[0-9]{1,18}$/)]), ({ id }: AuditRecord) => [
  String(id),
])

/** What can be asked about identities. */
export function defineQueries(builder: Builder, types: IdentityTypes, identity: () => Identity): void {
  defineMe(builder, types, identity)
  const challenge = builder.objectRef<Challenge>('SignInChallenge').implement({
    description: 'What a wallet signs to sign in; client/sign-in.ts does it.',
    fields: (t) => ({
      challenge: t.exposeString('challenge', { nullable: false, description: 'Send it back as it is.' }),
      nonce: t.exposeString('nonce', { nullable: false, description: 'A random name of this challenge, good once.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: false,
        description: 'Until when it can be answered.',
      }),
      network: t.string({
        nullable: false,
        description: 'The name of the network that it is signed for.',
        resolve: ({ network }) => network.name,
      }),
      networkId: t.field({
        type: 'Bytes',
        description: 'The id of that network; null while the node has no ledger.',
        resolve: ({ network }) => network.id,
      }),
    }),
  })

  builder.queryFields((t) => ({
    me: t.field({
      type: types.me,
      description: 'Who asks; null for somebody who has shown nothing.',
      resolve: (_root, _args, { principal }) => (principal.kind === 'anonymous' ? null : principal),
    }),
    signInChallenge: t.field({
      type: challenge,
      nullable: false,
      description:
        'A challenge for `signIn`: good for one sign-in within five minutes. To be signed with the key of the address: ' +
        '`deaios/sign-in/1` and a zero byte, then CBOR [network, networkId, audience, address, nonce, expiresAt in ms], ' +
        'where `audience` is the host and port of this server as the client knows it.',
      args: {
        address: t.arg({ type: 'Bytes', required: true, description: 'Whose key is going to sign it: 32 bytes.' }),
      },
      complexity: 5,
      resolve: (_root, { address }) => identity().sessions.challenge(thirtyTwoBytes(address)),
    }),
    apiKeys: t.field({
      type: types.apiKeys,
      nullable: false,
      authScopes: { scope: 'keys:read' },
      description: 'The API keys of an account, oldest first.',
      args: {
        account: t.arg({ type: 'Bytes', description: "The caller's if absent; for an operator, everybody's." }),
        ...builder.forwardPageArgs,
      },
      complexity: pageCost,
      resolve: async (_root, args, { principal }) => {
        const { sql } = identity()
        const whose = args.account ?? (principal.can(ALL_SCOPES) ? undefined : principal.account)
        if (whose !== undefined && (await manages(sql, principal, whose)) === undefined) throw notYours()
        return resolvePage(args, keyCursor, ({ limit, after }) =>
          listKeys(sql, whose, limit, after && { createdAt: new Date(after[0]), id: after[1] }),
        )
      },
    }),
    auditLog: t.field({
      type: types.auditEntries,
      nullable: false,
      authScopes: { scope: 'audit:read' },
      description: 'Who did what that needs a privilege, newest first.',
      args: {
        actor: t.arg.string({ description: 'Like `key:0123456789abcdef`.' }),
        action: t.arg.string({ description: 'Like `createApiKey`.' }),
        ...builder.forwardPageArgs,
      },
      complexity: pageCost,
      resolve: (_root, args) => {
        // Postgres takes no zero characters, and no entry has one.
        if (`${args.actor}${args.action}`.includes('\0'))
          throw apiError('BAD_USER_INPUT', 'A zero character matches nothing.')
        return resolvePage(args, auditCursor, ({ limit, after }) =>
          identity().audit.page(limit, after && BigInt(after[0]), args),
        )
      },
    }),
  }))
}

function defineMe(builder: Builder, { me, apiKey, accounts }: IdentityTypes, identity: () => Identity): void {
  const kind = builder.enumType('CallerKind', {
    description: 'How a caller has shown who it is.',
    values: {
      WALLET: { description: "Signed in with an account's own key." },
      KEY: { description: 'By an API key.' },
    } as const,
  })
  builder.objectType(me, {
    description: 'Whoever asks.',
    fields: (t) => ({
      kind: t.field({
        type: kind,
        nullable: false,
        description: 'How it has shown who it is.',
        resolve: (principal) => (principal.kind === 'key' ? 'KEY' : 'WALLET'),
      }),
      account: t.field({
        type: 'Bytes',
        description: 'The account that the caller acts for.',
        resolve: ({ account }) => account,
      }),
      scopes: t.stringList({
        nullable: false,
        description: 'What it may do, like `keys:read`.',
        resolve: ({ scopes }) => [...scopes].sort(),
      }),
      key: t.field({
        type: apiKey,
        description: 'The API key that it came by; null for a wallet.',
        resolve: async ({ kind: by, id }) => (by === 'key' ? ((await findKey(identity().sql, id)) ?? null) : null),
      }),
      isCustodial: t.boolean({
        nullable: false,
        description: 'Whether the node keeps the secret of the account, and `send` signs with it.',
        resolve: async ({ account }) => account !== null && (await findAccount(identity().sql, account)) !== undefined,
      }),
      accounts: t.field({
        type: accounts,
        nullable: false,
        description: 'The custodial accounts that the caller has made.',
        args: { ...builder.forwardPageArgs },
        complexity: pageCost,
        resolve: ({ account }, args) =>
          resolvePage(args, accountCursor, async ({ limit, after }) =>
            account === null ? [] : accountsOf(identity().sql, account, limit, after && Buffer.from(after[0], 'hex')),
          ),
      }),
    }),
  })
}

/** @throws GraphQLError BAD_USER_INPUT */
export function thirtyTwoBytes(address: Uint8Array): Uint8Array {
  if (address.length === 32) return address
  throw apiError('BAD_USER_INPUT', `\`address\` has ${address.length} bytes; an address has 32.`)
}

const notYours = () => apiError('FORBIDDEN', "This is not your account: you may read your own accounts' keys.")
