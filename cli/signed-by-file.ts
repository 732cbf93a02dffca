import type { Command } from 'commander'

/** Where `deaios start` keeps the operator's key if it is not told otherwise. */
const OPERATOR_KEY = '.deaios/execution/operator.key'

/** Adds the option that says whose key signs. */
export const signedByFile = (command: Command): Command =>
  command.option(
    '--key-file <file>',
    'whose key signs: the operator.key of the network, or a wallet file',
    OPERATOR_KEY,
  )
