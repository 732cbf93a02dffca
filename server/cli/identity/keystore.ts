import type { Command } from 'commander'
import { answering, type Streams } from '../output.ts'
import { atNode } from './key.ts'
import type { NodeFlags } from './node-database.ts'

interface RotateFlags extends NodeFlags {
  readonly dropOld?: boolean
}

/** `deaios keystore rotate` */
export function addKeystore(program: Command, streams: Streams): void {
  const keystore = program
    .command('keystore')
    .description("the master key that custodial accounts' secrets are sealed under")
  const rotate = atNode(
    keystore
      .command('rotate')
      .description('seal all secrets under a new master key (the first of DEAIOS_KEYSTORE_KEY, where that is set)'),
  ).option('--drop-old', 'forget the older keys: backups of the database from before cannot be opened then')
  answering(rotate, streams, async (command) => {
    const flags = command.opts<RotateFlags>()
    const { AuditLog, CONSOLE, masterKeysOf, rotateMasterKey } = await import('../../auth/index.ts')
    const { withNodeDatabase } = await import('./node-database.ts')
    const { systemClock } = await import('../../host/clock.ts')
    const { silentLog } = await import('../../log.ts')
    const { where, accounts, key } = await withNodeDatabase(flags, async (sql, config) => {
      const source = masterKeysOf(config)
      const isGiven = config.keystoreKey !== undefined
      const rotation = await rotateMasterKey(sql, source, {
        makesKey: !isGiven,
        dropsOld: !isGiven && flags.dropOld === true,
      })
      const details = { accounts: rotation.accounts, key: rotation.key }
      await new AuditLog(sql, systemClock, silentLog).record(sql, CONSOLE, { action: 'rotateKeystore', details })
      return { where: source.where, ...rotation }
    })
    return {
      json: { accounts, key, where },
      text: `${accounts} accounts are sealed under the master key ${key} now; it is in ${where}`,
    }
  })
}
