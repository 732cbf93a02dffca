import type { PaperDeed, PaperModule } from './paper-modules.ts'

const NO_SALT = new Uint8Array(0)

const credit: PaperDeed = {
  module: 'account',
  weight: 3,
  sends: {},
  takes: (args) => Object.keys(args).length === 0,
  salt: () => NO_SALT,
  act(call) {
    const { to, from, value } = call.note
    call.emit('execution.credited', { to: to.id, from: from.id, value })
  },
}

/** The ledger's own module in shards, as far as the model's transactions use it. */
export const ACCOUNT_ON_PAPER: PaperModule = { deeds: new Map([['credit', credit]]), onBounce: undefined }
