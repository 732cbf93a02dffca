import { InvalidArgumentError } from 'commander'

/** A whole number from 0 to `max`. */
const wholeUpTo =
  (max: number) =>
  (text: string): number => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : -1
    if (number < 0 || number > max) throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`)
    return number
  }

export const parseRealm = wholeUpTo(0x7fffffff)
export const parseLane = wholeUpTo(255)
export const parseCount = wholeUpTo(1_000_000)
export const parseHeight = wholeUpTo(Number.MAX_SAFE_INTEGER)
