// Generated from schema/schema.graphql and client/documents by `npm run schema`.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How far an action got. */
export type ActionStatus =
  /** It ran, and stands. */
  | 'DONE'
  /** Its transaction is in no block yet. */
  | 'PENDING'
  /** Undone; its value went back. */
  | 'REFUSED'
  /** On its way to another shard. */
  | 'SENT';

/** How far a transaction got. */
export type TransactionStatus =
  /** It left the mempool: for one that offers more, or lost in a crash. Final, unless it is submitted again. */
  | 'EVICTED'
  /** All its actions are done, in all shards. Final. */
  | 'EXECUTED'
  /** It was in no block when its validUntil passed. Final. */
  | 'EXPIRED'
  /** At least one action was refused, the others stand. Final. */
  | 'FAILED'
  /** Its first block is durable; messages to other shards are on their way. */
  | 'INCLUDED'
  /** Accepted, in no block yet. Promises nothing. */
  | 'PENDING'
  /** Another transaction with the same nonce and a higher maxFee took its place. Final. */
  | 'REPLACED';

/** What a submission waits for, for 10 s at most; then it answers as it stands. */
export type Wait =
  /** All its actions came to an end, in all shards. */
  | 'EXECUTED'
  /** Its first block is durable. */
  | 'INCLUDED'
  /** Nothing: it was taken into the mempool. */
  | 'NONE';

export type AccountQueryVariables = Exact<{
  address: string;
  realm?: number | null | undefined;
}>;


export type AccountQuery = { readonly account: { readonly balance: string, readonly lanes: ReadonlyArray<{ readonly lane: number, readonly nextNonce: string }>, readonly shard: { readonly id: string } | null } | null };

export type BlockProofQueryVariables = Exact<{
  shard: string;
  height: string | number;
}>;


export type BlockProofQuery = { readonly block: { readonly rootProof: string | null } | null };

export type CellProofQueryVariables = Exact<{
  id: string;
  realm?: number | null | undefined;
  onRoot?: boolean | null | undefined;
}>;


export type CellProofQuery = { readonly cellProof: string | null };

export type ExportProofQueryVariables = Exact<{
  height: string | number;
  key: string;
}>;


export type ExportProofQuery = { readonly rootBlock: { readonly exportProof: string | null } | null };

export type FaucetMutationVariables = Exact<{
  address: string;
}>;


export type FaucetMutation = { readonly faucet:
    | { readonly __typename: 'TransactionAccepted', readonly duplicate: boolean, readonly transaction: { readonly id: string, readonly status: TransactionStatus }, readonly at: { readonly shard: string, readonly height: string } | null }
    | { readonly __typename: 'TransactionRefused', readonly code: string, readonly message: string }
   };

export type FollowRootBlocksSubscriptionVariables = Exact<{
  after: string;
}>;


export type FollowRootBlocksSubscription = { readonly rootBlocks: { readonly header: string, readonly votes: string } };

export type GenesisQueryVariables = Exact<{ [key: string]: never; }>;


export type GenesisQuery = { readonly network: { readonly genesis: string | null } };

export type MessagesProofQueryVariables = Exact<{
  shard: string;
  height: string | number;
  to: string;
}>;


export type MessagesProofQuery = { readonly block: { readonly messagesProof: string | null } | null };

export type NetworkQueryVariables = Exact<{ [key: string]: never; }>;


export type NetworkQuery = { readonly network: { readonly id: string | null, readonly name: string, readonly version: string, readonly rootHeight: string | null, readonly shardCount: number | null } };

export type RootBlockQueryVariables = Exact<{
  height?: string | number | null | undefined;
}>;


export type RootBlockQuery = { readonly rootBlock: { readonly header: string, readonly votes: string } | null };

export type RootBlocksQueryVariables = Exact<{
  after: string;
  first: number;
}>;


export type RootBlocksQuery = { readonly rootBlocks: { readonly edges: ReadonlyArray<{ readonly node: { readonly header: string, readonly votes: string } }> } };

export type RootMessagesProofQueryVariables = Exact<{
  height: string | number;
  to: string;
}>;


export type RootMessagesProofQuery = { readonly rootBlock: { readonly messagesProof: string | null } | null };

export type SignInChallengeQueryVariables = Exact<{
  address: string;
}>;


export type SignInChallengeQuery = { readonly signInChallenge: { readonly challenge: string, readonly nonce: string, readonly expiresAt: string, readonly network: string, readonly networkId: string | null } };

export type SignInMutationVariables = Exact<{
  challenge: string;
  audience: string;
  signature: string;
}>;


export type SignInMutation = { readonly signIn:
    | { readonly __typename: 'IdentityRefused', readonly code: string, readonly message: string }
    | { readonly __typename: 'SignedIn', readonly token: string, readonly expiresAt: string }
   };

export type SimulateQueryVariables = Exact<{
  transaction: string;
}>;


export type SimulateQuery = { readonly simulate:
    | { readonly __typename: 'SimulationDone', readonly fee: string, readonly weight: string, readonly actions: ReadonlyArray<{ readonly status: ActionStatus, readonly error: { readonly code: string, readonly message: string } | null }> }
    | { readonly __typename: 'TransactionRefused', readonly code: string, readonly message: string }
   };

export type SplitProofQueryVariables = Exact<{
  shard: string;
}>;


export type SplitProofQuery = { readonly shard: { readonly splitProof: string | null } | null };

export type SubmitTransactionMutationVariables = Exact<{
  transaction: string;
  wait: Wait;
}>;


export type SubmitTransactionMutation = { readonly submitTransaction:
    | { readonly __typename: 'TransactionAccepted', readonly duplicate: boolean, readonly transaction: { readonly status: TransactionStatus }, readonly at: { readonly shard: string, readonly height: string } | null }
    | { readonly __typename: 'TransactionRefused', readonly code: string, readonly message: string }
   };

export type SubmitTransactionsMutationVariables = Exact<{
  transactions: ReadonlyArray<string> | string;
  wait: Wait;
}>;


export type SubmitTransactionsMutation = { readonly submitTransactions: ReadonlyArray<
    | { readonly __typename: 'TransactionAccepted', readonly duplicate: boolean, readonly transaction: { readonly status: TransactionStatus }, readonly at: { readonly shard: string, readonly height: string } | null }
    | { readonly __typename: 'TransactionRefused', readonly code: string, readonly message: string }
  > };

export type TransactionProofQueryVariables = Exact<{
  id: string;
}>;


export type TransactionProofQuery = { readonly transaction: { readonly rootedProof: string | null } | null };

export type TransactionQueryVariables = Exact<{
  id: string;
}>;


export type TransactionQuery = { readonly transaction: { readonly status: TransactionStatus, readonly fee: string | null, readonly error: { readonly code: string, readonly message: string } | null, readonly shard: { readonly id: string } | null, readonly block: { readonly height: string } | null } | null };

export type WatchTransactionSubscriptionVariables = Exact<{
  id: string;
}>;


export type WatchTransactionSubscription = { readonly transaction: { readonly status: TransactionStatus, readonly fee: string | null, readonly error: { readonly code: string, readonly message: string } | null, readonly shard: { readonly id: string } | null, readonly block: { readonly height: string } | null } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const AccountDocument = new TypedDocumentString(`
    query Account($address: Bytes!, $realm: Int) {
  account(address: $address, realm: $realm) {
    balance
    lanes {
      lane
      nextNonce
    }
    shard {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<AccountQuery, AccountQueryVariables>;
export const BlockProofDocument = new TypedDocumentString(`
    query BlockProof($shard: String!, $height: BigInt!) {
  block(shard: $shard, height: $height) {
    rootProof
  }
}
    `) as unknown as TypedDocumentString<BlockProofQuery, BlockProofQueryVariables>;
export const CellProofDocument = new TypedDocumentString(`
    query CellProof($id: Bytes!, $realm: Int, $onRoot: Boolean) {
  cellProof(id: $id, realm: $realm, onRoot: $onRoot)
}
    `) as unknown as TypedDocumentString<CellProofQuery, CellProofQueryVariables>;
export const ExportProofDocument = new TypedDocumentString(`
    query ExportProof($height: BigInt!, $key: String!) {
  rootBlock(height: $height) {
    exportProof(key: $key)
  }
}
    `) as unknown as TypedDocumentString<ExportProofQuery, ExportProofQueryVariables>;
export const FaucetDocument = new TypedDocumentString(`
    mutation Faucet($address: Bytes!) {
  faucet(address: $address) {
    __typename
    ... on TransactionAccepted {
      duplicate
      transaction {
        id
        status
      }
      at {
        shard
        height
      }
    }
    ... on TransactionRefused {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<FaucetMutation, FaucetMutationVariables>;
export const FollowRootBlocksDocument = new TypedDocumentString(`
    subscription FollowRootBlocks($after: Cursor!) {
  rootBlocks(after: $after) {
    header
    votes
  }
}
    `) as unknown as TypedDocumentString<FollowRootBlocksSubscription, FollowRootBlocksSubscriptionVariables>;
export const GenesisDocument = new TypedDocumentString(`
    query Genesis {
  network {
    genesis
  }
}
    `) as unknown as TypedDocumentString<GenesisQuery, GenesisQueryVariables>;
export const MessagesProofDocument = new TypedDocumentString(`
    query MessagesProof($shard: String!, $height: BigInt!, $to: String!) {
  block(shard: $shard, height: $height) {
    messagesProof(to: $to)
  }
}
    `) as unknown as TypedDocumentString<MessagesProofQuery, MessagesProofQueryVariables>;
export const NetworkDocument = new TypedDocumentString(`
    query Network {
  network {
    id
    name
    version
    rootHeight
    shardCount
  }
}
    `) as unknown as TypedDocumentString<NetworkQuery, NetworkQueryVariables>;
export const RootBlockDocument = new TypedDocumentString(`
    query RootBlock($height: BigInt) {
  rootBlock(height: $height) {
    header
    votes
  }
}
    `) as unknown as TypedDocumentString<RootBlockQuery, RootBlockQueryVariables>;
export const RootBlocksDocument = new TypedDocumentString(`
    query RootBlocks($after: Cursor!, $first: Int!) {
  rootBlocks(after: $after, first: $first) {
    edges {
      node {
        header
        votes
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RootBlocksQuery, RootBlocksQueryVariables>;
export const RootMessagesProofDocument = new TypedDocumentString(`
    query RootMessagesProof($height: BigInt!, $to: String!) {
  rootBlock(height: $height) {
    messagesProof(to: $to)
  }
}
    `) as unknown as TypedDocumentString<RootMessagesProofQuery, RootMessagesProofQueryVariables>;
export const SignInChallengeDocument = new TypedDocumentString(`
    query SignInChallenge($address: Bytes!) {
  signInChallenge(address: $address) {
    challenge
    nonce
    expiresAt
    network
    networkId
  }
}
    `) as unknown as TypedDocumentString<SignInChallengeQuery, SignInChallengeQueryVariables>;
export const SignInDocument = new TypedDocumentString(`
    mutation SignIn($challenge: String!, $audience: String!, $signature: Bytes!) {
  signIn(challenge: $challenge, audience: $audience, signature: $signature) {
    __typename
    ... on SignedIn {
      token
      expiresAt
    }
    ... on UserError {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SignInMutation, SignInMutationVariables>;
export const SimulateDocument = new TypedDocumentString(`
    query Simulate($transaction: Bytes!) {
  simulate(transaction: $transaction) {
    __typename
    ... on SimulationDone {
      fee
      weight
      actions {
        status
        error {
          code
          message
        }
      }
    }
    ... on TransactionRefused {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimulateQuery, SimulateQueryVariables>;
export const SplitProofDocument = new TypedDocumentString(`
    query SplitProof($shard: String!) {
  shard(id: $shard) {
    splitProof
  }
}
    `) as unknown as TypedDocumentString<SplitProofQuery, SplitProofQueryVariables>;
export const SubmitTransactionDocument = new TypedDocumentString(`
    mutation SubmitTransaction($transaction: Bytes!, $wait: Wait!) {
  submitTransaction(transaction: $transaction, wait: $wait) {
    __typename
    ... on TransactionAccepted {
      duplicate
      transaction {
        status
      }
      at {
        shard
        height
      }
    }
    ... on TransactionRefused {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SubmitTransactionMutation, SubmitTransactionMutationVariables>;
export const SubmitTransactionsDocument = new TypedDocumentString(`
    mutation SubmitTransactions($transactions: [Bytes!]!, $wait: Wait!) {
  submitTransactions(transactions: $transactions, wait: $wait) {
    __typename
    ... on TransactionAccepted {
      duplicate
      transaction {
        status
      }
      at {
        shard
        height
      }
    }
    ... on TransactionRefused {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SubmitTransactionsMutation, SubmitTransactionsMutationVariables>;
export const TransactionProofDocument = new TypedDocumentString(`
    query TransactionProof($id: Bytes!) {
  transaction(id: $id) {
    rootedProof
  }
}
    `) as unknown as TypedDocumentString<TransactionProofQuery, TransactionProofQueryVariables>;
export const TransactionDocument = new TypedDocumentString(`
    query Transaction($id: Bytes!) {
  transaction(id: $id) {
    status
    error {
      code
      message
    }
    fee
    shard {
      id
    }
    block {
      height
    }
  }
}
    `) as unknown as TypedDocumentString<TransactionQuery, TransactionQueryVariables>;
export const WatchTransactionDocument = new TypedDocumentString(`
    subscription WatchTransaction($id: Bytes!) {
  transaction(id: $id) {
    status
    error {
      code
      message
    }
    fee
    shard {
      id
    }
    block {
      height
    }
  }
}
    `) as unknown as TypedDocumentString<WatchTransactionSubscription, WatchTransactionSubscriptionVariables>;
