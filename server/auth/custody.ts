import type { Principal } from '../../schema/index.ts'
import { type Custody, CustodyError } from '../plugin/custody.ts'
import type { Clock, Log } from '../plugin/host.ts'
import { sealedOf } from './accounts.ts'
import { GIVES_AWAY } from './call-patterns.ts'
import { KeystoreError } from './errors.ts'
import { countSpending, settleSpending } from './spending.ts'
import type { Vault } from './vault.ts'

const DOMAIN = /^deaios\/[a-z0-9-]{1,40}\/[0-9]{1,3}\0/
const MAX_DOMAIN = 64

/** What clients are told; the log says which key is missing where. */
export const CANNOT_OPEN = 'This node cannot open the key of this account now. Tell its operator; its log says why.'

/** Signs with the keys in the vault, within the caps of the API key that asks. */
export function makeCustody(vault: Vault, clock: Clock, log: Log): Custody {
  return {
    async sign(tx, principal, { message, calls, spends }) {
      const account = custodianFor(principal)
      checkDomain(message)
      checkGivesAway(principal, calls)
      const sealed = await sealedOf(tx, account)
      if (sealed === undefined) throw notCustodial()
      const spending = await countSpending(tx, principal.id, { calls, amount: spends }, clock.now())
      return { signature: signed(() => vault.sign(message, account, sealed), log), spending }
    },
    settle: settleSpending,
  }
}

function signed(sign: () => Uint8Array, log: Log): Uint8Array {
  try {
    return sign()
  } catch (error) {
    if (!(error instanceof KeystoreError)) throw error
    log.error({ error }, 'an account cannot be signed for')
    throw new CustodyError('KEYSTORE_UNAVAILABLE', CANNOT_OPEN)
  }
}

function custodianFor(principal: Principal): Uint8Array {
  const { kind, account } = principal
  if (kind !== 'key' || account === null) throw notCustodial()
  if (!principal.can('wallet:send'))
    throw new CustodyError('SCOPE_MISSING', 'The scope wallet:send is missing. Use a key that has it.')
  return account
}

/** Whoever can give a key of its own to the account can spend everything by it, outside of this node. */
function checkGivesAway(principal: Principal, calls: readonly string[]): void {
  const call = calls.find((name) => GIVES_AWAY.has(name))
  if (call === undefined || principal.can('wallet:export')) return
  throw new CustodyError('SCOPE_MISSING', `${call} takes the scope wallet:export: it gives the account away.`)
}

/** Arbitrary bytes could be anything, a transaction of another network or a sign-in elsewhere. */
function checkDomain(message: Uint8Array): void {
  const start = Buffer.from(message.subarray(0, MAX_DOMAIN)).toString('latin1')
  if (start.startsWith('deaios/sign-in/')) throw new TypeError('custody signs nobody in')
  if (DOMAIN.test(start)) return
  throw new TypeError('custody signs only messages that begin with a domain, like deaios/tx/1 and a zero byte')
}

const notCustodial = (): CustodyError =>
  new CustodyError(
    'NOT_CUSTODIAL',
    'The node keeps no key of yours to sign with. Use an API key of a custodial account, or sign yourself.',
  )
