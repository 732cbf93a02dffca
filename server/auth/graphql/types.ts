import type { Builder, Principal } from '../../../schema/index.ts'
import type { CustodialAccount } from '../accounts.ts'
import type { AuditRecord } from '../audit.ts'
import type { Identity } from '../identity.ts'
import type { KeyRecord } from '../keys.ts'
import { dayOf } from '../spending.ts'

/** What the files of this folder define with. */
export type IdentityTypes = ReturnType<typeof defineTypes>

/** @param identity only inside resolvers: a schema is built before there is one */
export function defineTypes(builder: Builder, identity: () => Identity) {
  const apiKey = builder.objectRef<KeyRecord>('ApiKey').implement({
    description: 'A key that programs say who they are by. Its secret is shown once, when it is made.',
    fields: (t) => ({
      id: t.exposeID('id', { nullable: false, description: 'What stands between the two `_` of the key.' }),
      name: t.exposeString('name', { nullable: false, description: 'For people.' }),
      account: t.expose('account', { type: 'Bytes', description: 'That it acts for; null for an operator key.' }),
      scopes: t.stringList({
        nullable: false,
        description: 'What it may do, like `keys:read`.',
        resolve: ({ scopes }) => [...scopes],
      }),
      madeBy: t.id({
        description: 'The key that it was made by, and ends with.',
        resolve: ({ ancestors }) => ancestors.at(-1) ?? null,
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was made.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends by itself; null for never.' }),
      revokedAt: t.expose('revokedAt', { type: 'DateTime', description: 'When it was ended; null while it was not.' }),
      requestsPerSecond: t.int({
        description: 'On average; null for no limit of its own.',
        resolve: ({ rate }) => rate?.perSecond ?? null,
      }),
      burst: t.int({ description: 'Requests at once.', resolve: ({ rate }) => rate?.burst ?? null }),
      capTotal: t.expose('capTotal', { type: 'BigInt', description: 'Units that it may spend in all.' }),
      capDaily: t.expose('capDaily', { type: 'BigInt', description: 'Units that it may spend in a day (UTC).' }),
      spentTotal: t.expose('spentTotal', {
        type: 'BigInt',
        nullable: false,
        description: 'With what is still on its way, at its highest possible cost.',
      }),
      spentToday: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'The same for the present day (UTC).',
        resolve: ({ spentDaily, spentOn }) => (spentOn === dayOf(identity().clock.now()) ? spentDaily : 0n),
      }),
    }),
  })

  const account = builder.objectRef<CustodialAccount>('CustodialAccount').implement({
    description: 'An account whose secret the node keeps, encrypted, and signs with for its API keys.',
    fields: (t) => ({
      address: t.expose('address', { type: 'Bytes', nullable: false, description: 'Its public key, 32 bytes.' }),
      name: t.exposeString('name', { nullable: false, description: 'For people.' }),
      owner: t.expose('owner', { type: 'Bytes', description: 'The wallet that may manage it.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was made.' }),
      exportedAt: t.expose('exportedAt', {
        type: 'DateTime',
        description: 'When its secret was given out last. From then on others than the node may sign with it.',
      }),
    }),
  })
  const accounts = builder.connectionOf(account)

  const audit = builder.objectRef<AuditRecord>('AuditEntry').implement({
    description: 'Something that somebody did who needed a privilege for it, or was refused.',
    fields: (t) => ({
      id: t.id({
        nullable: false,
        description: 'Its number; later entries have higher ones.',
        resolve: ({ id }) => String(id),
      }),
      at: t.expose('at', { type: 'DateTime', nullable: false, description: 'When it was done.' }),
      actor: t.exposeString('actor', { nullable: false, description: '`key:<id>` or `wallet:<address>`.' }),
      account: t.expose('account', { type: 'Bytes', description: 'That the actor acted for.' }),
      action: t.exposeString('action', { nullable: false, description: 'The mutation, like `createApiKey`.' }),
      target: t.exposeString('target', { description: 'What it was done to, like the id of a key.' }),
      outcome: t.exposeString('outcome', { nullable: false, description: 'DONE or REFUSED.' }),
      code: t.exposeString('code', { description: 'Why it was refused.' }),
      details: t.expose('details', { type: 'JSON', description: 'What else is worth knowing of it, by action.' }),
    }),
  })

  return {
    apiKey,
    apiKeys: builder.connectionOf(apiKey),
    account,
    accounts,
    auditEntries: builder.connectionOf(audit),
    refused: builder.objectRef<Refused>('IdentityRefused').implement({
      description:
        'Nothing was changed. Its code is one of ACCOUNT_LIMIT, ACCOUNT_UNKNOWN, BAD_KEY_OPTIONS, BAD_SIGN_IN, ' +
        'KEY_LIMIT, KEY_UNKNOWN, NOT_YOURS and SCOPE_NOT_YOURS.',
      interfaces: [builder.userError],
    }),
    me: builder.objectRef<Principal>('Me'),
  }
}

/** An expected refusal. */
export interface Refused {
  readonly kind: 'refused'
  readonly code: string
  readonly message: string
}
