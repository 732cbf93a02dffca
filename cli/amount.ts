import { InvalidArgumentError } from 'commander'

/** 1 DEA is 10^9 units. */
const DECIMALS = 9
const UNITS = 10n ** BigInt(DECIMALS)

/** An amount in DEA, like `1.5`, as units. Throws InvalidArgumentError. */
export function parseDea(text: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text) ?? []
  if (whole === undefined) throw new InvalidArgumentError('Write an amount in DEA like 1.5, or add --units.')
  if (fraction.length > DECIMALS) {
    throw new InvalidArgumentError(`One DEA has ${DECIMALS} decimal places, no more.`)
  }
  return BigInt(whole) * UNITS + BigInt(fraction.padEnd(DECIMALS, '0'))
}

/** An amount in units, like `1500000000`. Throws InvalidArgumentError. */
export function parseUnits(text: string): bigint {
  if (!/^\d{1,39}$/.test(text)) throw new InvalidArgumentError('With --units write a whole number.')
  return BigInt(text)
}

/** An amount of units as people read it: `1.5 DEA`. */
export function formatDea(units: bigint): string {
  const fraction = (units % UNITS).toString().padStart(DECIMALS, '0').replace(/0+$/, '')
  return `${units / UNITS}${fraction === '' ? '' : `.${fraction}`} DEA`
}
