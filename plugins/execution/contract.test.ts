import { formatBytes } from '../../schema/index.ts'
import { pluginContract, type TestHost } from '../../server/testing/index.ts'
import execution from './index.ts'
import { testKey } from './testing.ts'

const pay = 'mutation ($to: Bytes!) { faucet(address: $to) { __typename } }'

const cause = (host: TestHost, n: number) => host.execute(pay, { to: formatBytes(testKey(`receiver ${n}`).publicKey) })

// With one shard a payment of the faucet is one block.
pluginContract(execution({ genesis: { shards: 1 } }), {
  subscriptions: {
    blocks: { cause },
    // Time alone makes them, too, but slowly.
    rootBlocks: { cause },
  },
})
