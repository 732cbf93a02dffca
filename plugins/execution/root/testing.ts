/** The root chain's state alone, without shards or a database, for tests. */
import { cellId, cellPath, type Message, ROOT_REALM } from '../../../protocol/index.ts'
import type { LedgerModule } from '../ledger/module.ts'
import { CallRegistry } from '../ledger/registry.ts'
import type { RootRules } from '../ledger/root-context.ts'
import { account } from '../modules/account.ts'
import { SYSTEM_MODULES } from '../modules/system.ts'
import { OutBox } from '../shard/out-box.ts'
import { MESSAGE_KIND, readOutcomes } from '../shard/outcome.ts'
import { encodeModuleEntry, encodeRealmEntry, encodeShardEntry, moduleKey, realmKey, shardKey } from './exports.ts'
import type { MadeRoot } from './made-root.ts'
import { RootState } from './root-state.ts'
import { RootView } from './root-view.ts'

const NO_SALT = new Uint8Array(0)
/** Units for one byte. */
const DEPOSIT = 10n

/** A message to the root chain; what is left out is that of an account's own action. */
export type SentMessage = Partial<Message> & Pick<Message, 'call' | 'from'>

/** The root chain of a network with the shards `0:0` and `0:1`. */
export class RootStory {
  state: RootState
  /** Of the last root block. */
  made: MadeRoot | undefined
  #count = 0

  constructor({ modules = [], ...rules }: Partial<RootRules> & { readonly modules?: readonly LedgerModule[] } = {}) {
    const registry = new CallRegistry([account, ...SYSTEM_MODULES, ...modules])
    const shard = encodeShardEntry({ from: 0, parent: null, until: null })
    const view = RootView.EMPTY.with([
      [realmKey(0), encodeRealmEntry({ creator: null, name: 'test' })],
      [shardKey('0:0'), shard],
      [shardKey('0:1'), shard],
      [moduleKey('account'), encodeModuleEntry([[1, 0]])],
    ])
    this.state = new RootState(
      {
        rules: { validators: [], realmBond: 1000n, maxShards: 64, ...rules },
        depositPerByte: DEPOSIT,
        maxCallMs: 1000,
        registryAt: () => registry,
      },
      { height: 0, cells: [], view, totals: { holdings: 0n, emitted: 0n, consumed: 0n } },
    )
  }

  /** Makes a root block that these messages arrive with, and gives what each came to: DONE, or why it was refused. */
  async block(...messages: readonly SentMessage[]): Promise<string[]> {
    const box = new OutBox()
    const origins = messages.map(() => new Uint8Array(32).fill(++this.#count))
    for (const [i, sent] of messages.entries()) {
      const [module = ''] = sent.call.split('.')
      const message: Message = {
        kind: 'call',
        origin: origins[i] ?? NO_SALT,
        action: 0,
        fromRealm: 0,
        module: 'account',
        to: cellId(module, new Uint8Array(32), NO_SALT),
        realm: ROOT_REALM,
        args: {},
        value: 0n,
        payer: sent.from,
        payerRealm: 0,
        code: '',
        ...sent,
      }
      box.add(cellPath(message.to), message)
    }
    const height = this.state.height + 1
    const items = box.finish().bytes
    const sources = items.length === 0 ? [] : [{ shard: '0:0', height, items }]
    this.made = await this.state.make({ height, time: height, random: new Uint8Array(32), sources })
    this.state.committed(height)
    const { outcomes } = this.made
    return origins.map((origin) => {
      const found = outcomes.find(({ transaction }) => Buffer.compare(transaction, origin) === 0)
      return (found && readOutcomes(found.detail).find(({ kind }) => kind !== MESSAGE_KIND.BOUNCE)?.code) || 'DONE'
    })
  }
}
