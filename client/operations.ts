import { document } from './document.ts'

// The texts are those of documents/*.graphql, which a test compares.

export type Wait = 'NONE' | 'INCLUDED' | 'EXECUTED'

export type TransactionStatus = 'PENDING' | 'INCLUDED' | 'EXECUTED' | 'FAILED' | 'EXPIRED' | 'REPLACED' | 'EVICTED'

interface CodedMessage {
  readonly code: string
  readonly message: string
}

export interface AcceptedResult<T = { readonly status: TransactionStatus }> {
  readonly __typename: 'TransactionAccepted'
  readonly duplicate: boolean
  readonly transaction: T
  readonly at: { readonly shard: string; readonly height: string } | null
}

interface Refused extends CodedMessage {
  readonly __typename: 'TransactionRefused'
}

export type SubmissionResult<T = { readonly status: TransactionStatus }> = AcceptedResult<T> | Refused

export interface TransactionParts {
  readonly status: TransactionStatus
  readonly error: CodedMessage | null
  readonly fee: string | null
  readonly shard: { readonly id: string } | null
  readonly block: { readonly height: string } | null
}

interface SimulationDone {
  readonly __typename: 'SimulationDone'
  readonly fee: string
  readonly weight: string
  readonly actions: readonly { readonly status: string; readonly error: CodedMessage | null }[]
}

export const networkQuery = document<
  {
    readonly network: {
      readonly id: string | null
      readonly name: string
      readonly version: string
      readonly rootHeight: string | null
      readonly shardCount: number | null
    }
  },
  Record<string, never>
>(`query Network {
  network {
    id
    name
    version
    rootHeight
    shardCount
  }
}
`)

export const accountQuery = document<
  {
    readonly account: {
      readonly balance: string
      readonly lanes: readonly { readonly lane: number; readonly nextNonce: string }[]
      readonly shard: { readonly id: string } | null
    } | null
  },
  { readonly address: string; readonly realm: number }
>(`query Account($address: Bytes!, $realm: Int) {
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
`)

export const transactionQuery = document<
  { readonly transaction: TransactionParts | null },
  { readonly id: string }
>(`query Transaction($id: Bytes!) {
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
`)

export const transactionSubscription = document<
  { readonly transaction: TransactionParts },
  { readonly id: string }
>(`subscription WatchTransaction($id: Bytes!) {
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
`)

export const submitMutation = document<
  { readonly submitTransaction: SubmissionResult },
  { readonly transaction: string; readonly wait: Wait }
>(`mutation SubmitTransaction($transaction: Bytes!, $wait: Wait!) {
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
`)

export const submitAllMutation = document<
  { readonly submitTransactions: readonly SubmissionResult[] },
  { readonly transactions: readonly string[]; readonly wait: Wait }
>(`mutation SubmitTransactions($transactions: [Bytes!]!, $wait: Wait!) {
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
`)

export const faucetMutation = document<
  { readonly faucet: SubmissionResult<{ readonly id: string; readonly status: TransactionStatus }> },
  { readonly address: string }
>(`mutation Faucet($address: Bytes!) {
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
`)

export const simulateQuery = document<
  { readonly simulate: SimulationDone | Refused },
  { readonly transaction: string }
>(`query Simulate($transaction: Bytes!) {
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
`)
