import { BYTE_FAULTS } from './byte-faults.ts'
import { ENCODING_FAULTS } from './encoding-faults.ts'
import { MEANING_FAULTS } from './meaning-faults.ts'
import type { Spoil } from './spoiled.ts'

/** Every way to spoil a transaction. */
export const ALL_FAULTS: readonly Spoil[] = [...BYTE_FAULTS, ...ENCODING_FAULTS, ...MEANING_FAULTS]
