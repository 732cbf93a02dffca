/** The client's operations, by what they are for. Texts and types are generated from documents/ and the schema. */
import type { SubmitTransactionMutation, TransactionQuery, TransactionStatus } from './generated/graphql.ts'

export {
  AccountDocument as accountQuery,
  BlockProofDocument as blockProofQuery,
  CellProofDocument as cellProofQuery,
  ExportProofDocument as exportProofQuery,
  FaucetDocument as faucetMutation,
  FollowRootBlocksDocument as rootBlocksSubscription,
  GenesisDocument as genesisQuery,
  MessagesProofDocument as messagesProofQuery,
  NetworkDocument as networkQuery,
  RootBlockDocument as rootBlockQuery,
  RootBlocksDocument as rootBlocksQuery,
  RootMessagesProofDocument as rootMessagesProofQuery,
  SignInChallengeDocument as signInChallengeQuery,
  SignInDocument as signInMutation,
  SimulateDocument as simulateQuery,
  SplitProofDocument as splitProofQuery,
  SubmitTransactionDocument as submitMutation,
  SubmitTransactionsDocument as submitAllMutation,
  TransactionDocument as transactionQuery,
  TransactionProofDocument as transactionProofQuery,
  type TransactionStatus,
  type Wait,
  WatchTransactionDocument as transactionSubscription,
} from './generated/graphql.ts'

/** What is asked of a transaction. */
export type TransactionParts = NonNullable<TransactionQuery['transaction']>

type Submission = SubmitTransactionMutation['submitTransaction']

/** The answer to one submission, with what was asked of its transaction. */
export type SubmissionResult<T = { readonly status: TransactionStatus }> =
  | AcceptedResult<T>
  | Extract<Submission, { readonly __typename: 'TransactionRefused' }>

/** The answer to one that was taken. */
export type AcceptedResult<T = { readonly status: TransactionStatus }> = Omit<
  Extract<Submission, { readonly __typename: 'TransactionAccepted' }>,
  'transaction'
> & { readonly transaction: T }
