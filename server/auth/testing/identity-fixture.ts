import { generateKeyPair, type KeyPair } from '../../../client/index.ts'
import { fromHex, signInBytes, toHex } from '../../../protocol/index.ts'
import { definePlugin } from '../../plugin.ts'
import { createTestHost, type TestHost, type TestHostOptions } from '../../testing/index.ts'
import { CONSOLE, createKey, type KeyOptions } from '../keys.ts'

/** A plugin with something to protect, for tests. */
const vault = definePlugin({
  name: 'vault',
  version: '1.0.0',
  api: '^1.0.0',
  accountScopes: ['vault:open'],
  graphql(builder) {
    builder.queryFields((t) => ({
      open: t.string({ resolve: () => 'open' }),
      mine: t.string({ authScopes: { signedIn: true }, resolve: () => 'mine' }),
      locked: t.string({ authScopes: { scope: 'vault:open' }, resolve: () => 'gold' }),
      hidden: t.string({ authScopes: { scope: 'vault:admin' }, resolve: () => 'plans' }),
    }))
    builder.subscriptionField('alarms', (t) =>
      t.string({
        authScopes: { scope: 'vault:open' },
        async *subscribe(_root, _args, { signal }) {
          yield 'armed'
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        },
        resolve: (alarm) => String(alarm),
      }),
    )
  },
})

/** What came of a request: what GraphQL says, and the HTTP status. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly data: Record<string, unknown> | null | undefined
  readonly codes: readonly unknown[]
  readonly errors: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[]
}

/** For tests: a node that is asked by real HTTP, with real keys. */
export interface IdentityFixture {
  readonly host: TestHost
  /** Of /graphql, once it was asked for. */
  url(): Promise<string>
  /** Asks as the bearer of a token; as nobody without one. */
  ask(document: string, variables?: Record<string, unknown>, token?: string): Promise<Answer>
  /** Makes a key as the operator's command line does. */
  key(options: Partial<KeyOptions>): Promise<{ readonly id: string; readonly token: string }>
  /** Signs a wallet in. @returns its token */
  signIn(keys: KeyPair): Promise<string>
  stop(): Promise<void>
}

const CHALLENGE = `query ($address: Bytes!) {
  signInChallenge(address: $address) { challenge nonce expiresAt network networkId }
}`
export const SIGN_IN = `mutation ($challenge: String!, $audience: String!, $signature: Bytes!) {
  signIn(challenge: $challenge, audience: $audience, signature: $signature) {
    __typename ... on SignedIn { token expiresAt address } ... on IdentityRefused { code message }
  }
}`

export async function createIdentityFixture(options: Partial<TestHostOptions> = {}): Promise<IdentityFixture> {
  const host = await createTestHost({ plugins: [vault()], ...options })
  const url = async (): Promise<string> => (await host.serve()).url
  const ask: IdentityFixture['ask'] = async (query, variables = {}, token) => {
    const response = await fetch(await url(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors = [] } = JSON.parse(await response.text())
    const codes = errors.map((error: Answer['errors'][number]) => error.extensions.code)
    return { status: response.status, headers: response.headers, data, codes, errors }
  }
  return {
    host,
    url,
    ask,
    key: async (given) => {
      const { identity } = host.node
      const plain = {
        name: 'test',
        account: null,
        scopes: [],
        expiresAt: null,
        rate: null,
        capTotal: null,
        capDaily: null,
      }
      const made = await identity.sql.begin((tx) =>
        createKey(tx, CONSOLE, { ...plain, ...given }, identity.clock.now(), { rate: identity.keyRate }),
      )
      return { id: made.key.id, token: made.token }
    },
    async signIn(keys) {
      const signed = await answerChallenge({ ask, url }, keys)
      const { data } = await ask(SIGN_IN, signed)
      const token = Object(data?.signIn).token
      if (typeof token !== 'string') throw new TypeError(`sign-in was refused: ${JSON.stringify(data)}`)
      return token
    },
    stop: () => host.stop(),
  }
}

/** Asks for a challenge and signs it. @param changed what to sign instead of the truth */
export async function answerChallenge(
  { ask, url }: Pick<IdentityFixture, 'ask' | 'url'>,
  keys: KeyPair = generateKeyPair(),
  changed: Partial<Parameters<typeof signInBytes>[0]> = {},
): Promise<{ challenge: string; audience: string; signature: string }> {
  const { data } = await ask(CHALLENGE, { address: keys.address })
  const { challenge, nonce, expiresAt, network, networkId } = Object(data?.signInChallenge)
  const audience = changed.audience ?? new URL(await url()).host
  const message = signInBytes({
    network,
    networkId: networkId === null ? null : fromHex(networkId),
    audience,
    address: keys.publicKey,
    nonce,
    expiresAt: Date.parse(expiresAt),
    ...changed,
  })
  return { challenge, audience, signature: toHex(keys.sign(message)) }
}
