import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import type { Log } from '../plugin.ts'
import { publicError } from './mask.ts'
import { RequestContext } from './request-context.ts'

test('what ends because its client is gone is nothing that the log warns of', () => {
  const serious: unknown[] = []
  const log: Log = {
    ...silentLog,
    warn: (entry: unknown) => serious.push(entry),
    error: (entry: unknown) => serious.push(entry),
  }
  const context = new RequestContext()
  context.abort('the client is gone')
  const told = publicError(context.signal.reason, context.requestId, log)
  expect(told.extensions.code).toBe('CANCELLED')
  expect(told.message).toBe('The request was given up: the client is gone.')
  expect(serious).toEqual([])
  // Anything else is.
  expect(publicError(new Error('the client is gone'), 'r', log).extensions.code).toBe('INTERNAL_SERVER_ERROR')
  expect(serious).toHaveLength(1)
})
