/** What a network is at one root height, in a file. */

export { compareTables } from './compare-tables.ts'
export { SnapshotError, type SnapshotErrorCode } from './errors.ts'
export { type ImportSnapshotOptions, importSnapshot } from './import-snapshot.ts'
export { importedHeight } from './imported-state.ts'
export { type ReadSnapshotOptions, readSnapshot, type SnapshotReport } from './read-snapshot.ts'
export { storedStart } from './stored-start.ts'
export { storedView } from './stored-view.ts'
export { type WriteSnapshotOptions, writeSnapshot } from './write-snapshot.ts'
