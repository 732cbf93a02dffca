import { describe, expect, it } from 'vitest'
import { readAnswer } from './outcomes.ts'

const read = (document: unknown, status = 200) => readAnswer({ status, body: Buffer.from(JSON.stringify(document)) })
const accepted = { __typename: 'TransactionAccepted', transaction: { status: 'INCLUDED' } }
const refused = { __typename: 'TransactionRefused', code: 'NONCE_USED', message: 'it was used' }

describe('an answer to a submission', () => {
  it('tells what became of each transaction', () => {
    const outcomes = [{ status: 'INCLUDED' }, { refused: 'NONCE_USED: it was used' }]
    expect(read({ data: { outcomes: [accepted, refused] } })).toEqual({ outcomes })
    expect(read({ data: { outcome: accepted } })).toEqual({ outcomes: [{ status: 'INCLUDED' }] })
  })

  it('may say to send it again', () => {
    const errors = [{ message: 'busy', extensions: { code: 'OVERLOADED' } }]
    expect(read({ data: null, errors })).toEqual({ error: 'OVERLOADED' })
  })

  it('fails the load if it is anything else', () => {
    expect(() => read({ errors: [{ message: 'no such field' }] })).toThrow('no such field')
    expect(() => read({ data: { outcomes: [{}] } })).toThrow()
    expect(() => read({}, 503)).toThrow('the node answered 503')
  })
})
