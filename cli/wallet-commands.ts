import type { Command } from 'commander'
import { generateKeyPair, type KeyPair, toHex } from '../client/index.ts'
import { CodecError, parseShardId, type Shard } from '../protocol/index.ts'
import type { Answer } from '../server/cli/output.ts'
import { wrongUsage } from './connection.ts'
import { DEFAULT_WALLET } from './default-wallet.ts'
import { keyInShard, MAX_GRIND_BITS } from './key-in-shard.ts'
import { lines } from './table.ts'
import { readWallet, writeWallet } from './wallet-file.ts'

/** Runs `wallet new`. */
export async function newWallet(command: Command): Promise<Answer> {
  const { out, shard, showSecret } = command.opts<{ out: string; shard?: string; showSecret?: true }>()
  const keys = shard === undefined ? generateKeyPair() : keyInShard(shardOf(command, shard))
  await writeWallet(out, keys)
  return answer(keys, out, showSecret)
}

/** Runs `wallet show`. */
export async function showWallet(command: Command): Promise<Answer> {
  const [file = DEFAULT_WALLET] = command.processedArgs as [string?]
  return answer(await readWallet(file), file, command.opts<{ showSecret?: true }>().showSecret)
}

function answer(keys: KeyPair, file: string, showSecret: true | undefined): Answer {
  const secret = showSecret === undefined ? undefined : toHex(keys.exportSeed())
  return {
    json: { address: keys.address, file, ...(secret === undefined ? {} : { secret }) },
    text: lines([
      ['address', keys.address],
      ['file', `${file}  (whoever has it can spend: keep a copy, give it to nobody)`],
      ['secret', secret],
    ]),
  }
}

function shardOf(command: Command, id: string): Shard {
  let shard: Shard
  try {
    shard = parseShardId(id)
  } catch (error) {
    if (error instanceof CodecError) return wrongUsage(command, error.message)
    throw error
  }
  if (shard.prefix.length > MAX_GRIND_BITS) {
    return wrongUsage(
      command,
      `a key for ${shard.prefix.length} bits takes too long to find; ${MAX_GRIND_BITS} at most`,
    )
  }
  return shard
}
