import { formatBytes } from '../../schema/index.ts'
import { pluginContract } from '../../server/testing/index.ts'
import execution from './index.ts'
import { testKey } from './testing.ts'

const pay = 'mutation ($to: Bytes!) { faucet(address: $to) { __typename } }'

// With one shard a payment of the faucet is one block.
pluginContract(execution({ genesis: { shards: 1 } }), {
  subscriptions: {
    // Time alone makes them.
    rootBlocks: { cause: async () => undefined },
    blocks: { cause: (host, n) => host.execute(pay, { to: formatBytes(testKey(`receiver ${n}`).publicKey) }) },
  },
})
