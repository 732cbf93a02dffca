import { equal, type Message } from '../../../protocol/index.ts'
import { ACCOUNT } from '../state/ledger-cell.ts'

/** True for a transaction's own action; false for what calls sent because of it. Only accounts sign. */
export const isAction = ({ kind, module }: Message): boolean => kind === 'call' && module === ACCOUNT

/** True for a message to the account that signed. It may have a namesake in another realm. */
export const isPayers = ({ to, realm, payer, payerRealm }: Message): boolean => realm === payerRealm && equal(to, payer)
