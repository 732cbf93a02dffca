// Generated from schema/schema.graphql and client/documents by `npm run schema`.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How far an action got. */
export type ActionStatus =
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

export type FaucetMutationVariables = Exact<{
  address: string;
}>;


export type FaucetMutation = { readonly faucet:
    | { readonly __typename: 'TransactionAccepted', readonly duplicate: boolean, readonly transaction: { readonly id: string, readonly status: TransactionStatus }, readonly at: { readonly shard: string, readonly height: string } | null }
    | { readonly __typename: 'TransactionRefused', readonly code: string, readonly message: string }
   };

export type NetworkQueryVariables = Exact<{ [key: string]: never; }>;


export type NetworkQuery = { readonly network: { readonly id: string | null, readonly name: string, readonly version: string, readonly rootHeight: string | null, readonly shardCount: number | null } };

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
