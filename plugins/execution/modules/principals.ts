import { equal } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import type { RootContext } from '../ledger/root-context.ts'

/** True if an account itself sent the message: nothing that a module sends in its name counts. */
const isSignedBy = (ctx: RootContext, account: Uint8Array): boolean =>
  ctx.senderModule === 'account' && equal(ctx.sender, account)

/** True if a validator of the network sent the message. */
export const isByValidator = (ctx: RootContext): boolean => ctx.rules.validators.some((key) => isSignedBy(ctx, key))

/** True if the account that made the realm sent the message. */
export function isByCreator(ctx: RootContext, realm: number): boolean {
  const creator = ctx.exported.realms.get(realm)?.creator
  return creator !== undefined && creator !== null && isSignedBy(ctx, creator)
}

/** @throws CallError NOT_ALLOWED if a module sent the message, and no account */
export function mustBeAccount(ctx: RootContext): void {
  if (ctx.senderModule !== 'account') throw new CallError('NOT_ALLOWED', 'only accounts call this, by a transaction')
}

/** @throws CallError NOT_PAYABLE if the message brings coins */
export function mustBeFree(ctx: RootContext): void {
  if (ctx.value > 0n) throw new CallError('NOT_PAYABLE', 'this call takes no coins: send it with value 0')
}
