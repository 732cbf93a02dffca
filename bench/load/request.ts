/** How transactions are submitted. */
export interface SubmissionForm {
  /** Where to, on 127.0.0.1. */
  readonly port: number
  readonly path: string
  /** Transactions in a request; 1 uses `submitTransaction`. */
  readonly perRequest: number
  readonly wait: 'INCLUDED' | 'EXECUTED'
}

const OUTCOME = `__typename
  ... on TransactionAccepted { transaction { status } }
  ... on TransactionRefused { code message }`

const ONE = (wait: string) =>
  `mutation Submit($transaction: Bytes!) { outcome: submitTransaction(transaction: $transaction, wait: ${wait}) { ${OUTCOME} } }`
const MANY = (wait: string) =>
  `mutation Submit($transactions: [Bytes!]!) { outcomes: submitTransactions(transactions: $transactions, wait: ${wait}) { ${OUTCOME} } }`

/** The bytes of a whole HTTP request that submits these transactions. */
export function submissionRequest(form: SubmissionForm, wires: readonly Uint8Array[]): Buffer {
  const hex = wires.map((wire) => `"0x${Buffer.from(wire.buffer, wire.byteOffset, wire.length).toString('hex')}"`)
  const single = form.perRequest === 1
  const query = JSON.stringify((single ? ONE : MANY)(form.wait))
  const variables = single ? `{"transaction":${hex[0]}}` : `{"transactions":[${hex.join(',')}]}`
  return postRequest(form, `{"query":${query},"variables":${variables}}`)
}

/** The bytes of an HTTP request with a JSON body, which is ASCII. */
export function postRequest({ port, path }: { readonly port: number; readonly path: string }, body: string): Buffer {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n`
  const request = Buffer.allocUnsafeSlow(head.length + body.length)
  request.write(head, 0, 'latin1')
  request.write(body, head.length, 'latin1')
  return request
}
