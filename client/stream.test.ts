import { expect, test } from 'vitest'
import { MAX_WAITING, Stream } from './stream.ts'

test('what comes before it is read waits, in order; then the end', async () => {
  const stream = new Stream<number>(() => undefined)
  stream.push(1)
  stream.push(2)
  stream.end()
  stream.push(3)
  const seen: number[] = []
  for await (const value of stream) seen.push(value)
  expect(seen).toEqual([1, 2])
})

test('who reads before it comes gets it first, each in turn', async () => {
  const stream = new Stream<number>(() => undefined)
  const reads = [stream.next(), stream.next(), stream.next()]
  stream.push(1)
  stream.push(2)
  stream.fail(new Error('over'))
  expect(await reads[0]).toEqual({ value: 1, done: false })
  expect(await reads[1]).toEqual({ value: 2, done: false })
  await expect(reads[2]).rejects.toThrow('over')
  expect(await stream.next()).toEqual({ value: undefined, done: true })
})

test('an error is thrown once, behind what waits', async () => {
  const stream = new Stream<number>(() => undefined)
  stream.push(1)
  stream.fail(new Error('over'))
  expect(await stream.next()).toEqual({ value: 1, done: false })
  await expect(stream.next()).rejects.toThrow('over')
  expect(await stream.next()).toEqual({ value: undefined, done: true })
})

test('more than may wait is given up, and the source stopped', async () => {
  let stopped = 0
  const stream = new Stream<number>(() => stopped++)
  for (let i = 0; i <= MAX_WAITING + 5; i++) stream.push(i)
  expect(stopped).toBe(1)
  for (let i = 0; i < MAX_WAITING; i++) await stream.next()
  await expect(stream.next()).rejects.toThrow(expect.objectContaining({ code: 'SLOW_CONSUMER' }))
})

test('leaving stops the source once, and throws away what waits', async () => {
  let stopped = 0
  const stream = new Stream<number>(() => stopped++)
  stream.push(1)
  stream.push(2)
  for await (const value of stream) {
    expect(value).toBe(1)
    break
  }
  expect(await stream.next()).toEqual({ value: undefined, done: true })
  await stream.return()
  expect(stopped).toBe(1)
})
