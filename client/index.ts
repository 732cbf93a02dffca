export {
  type CborMap,
  type CborValue,
  cellId,
  fromHex,
  type ProofFault,
  ProofInvalidError,
  ROOT_REALM,
  rootHeaderHash,
  rootOfProof,
  toHex,
  verifyRootedBlock,
  verifyRootedCell,
  verifyRootedExport,
  verifyRootedMessages,
  verifyRootedTransaction,
  verifySplit,
} from '../protocol/index.ts'
export { type AccountInfo, type CallOptions, type Client, type ClientOptions, createClient } from './client.ts'
export { document, type TypedDocument } from './document.ts'
export { ClientError, type ClientErrorCode, isClientError } from './errors.ts'
export type { FeeEstimate } from './fees.ts'
export type { FollowOptions } from './follow.ts'
export { generateKeyPair, type KeyPair, keyPairFromSeed } from './keypair.ts'
export type { BlockPlace, Light, LightOptions, VerifyOptions } from './light/light.ts'
export type * from './light/verified.ts'
export type { NetworkInfo } from './network-view.ts'
export type { TransactionStatus, Wait } from './operations.ts'
export type { SendOptions } from './sender.ts'
export { type SignedInSession, type SignInOptions, signIn } from './sign-in.ts'
export type { Accepted, Outcome, SubmitOptions } from './submit.ts'
export {
  type ActionInput,
  action,
  type Hex32,
  type SignedTransaction,
  signTransaction,
  type TransactionInput,
  transfer,
} from './transaction.ts'
export type { TransactionInfo } from './transaction-info.ts'
export type { WaitOptions } from './wait-for.ts'
