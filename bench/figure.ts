/** What a value is held against; all that is given must hold. */
export interface Target {
  readonly atLeast?: number
  readonly atMost?: number
  /** Bounds of value / reference. */
  readonly ratioAtLeast?: number
  readonly ratioAtMost?: number
}

/** One measured figure, as `--json` prints it. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What the machine could do at most, or the like, measured in the same run; null if there is no such thing. */
  readonly reference: number | null
  readonly referenceName: string | null
  /** value / reference */
  readonly ratio: number | null
  readonly target: string
  readonly met: boolean
}

export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly reference?: { readonly name: string; readonly value: number }
  readonly target: Target
}

/** Judges a value by its target. */
export function figure({ name, value, unit, reference, target }: Measured): Figure {
  const ratio = reference === undefined ? null : value / reference.value
  return {
    name,
    value: rounded(value),
    unit,
    reference: reference === undefined ? null : rounded(reference.value),
    referenceName: reference?.name ?? null,
    ratio: ratio === null ? null : rounded(ratio),
    target: targetText(target, unit),
    met: isMet(target, value, ratio),
  }
}

function isMet({ atLeast, atMost, ratioAtLeast, ratioAtMost }: Target, value: number, ratio: number | null): boolean {
  if (!Number.isFinite(value)) return false
  if (atLeast !== undefined && value < atLeast) return false
  if (atMost !== undefined && value > atMost) return false
  if (ratioAtLeast !== undefined && (ratio === null || ratio < ratioAtLeast)) return false
  return ratioAtMost === undefined || (ratio !== null && ratio <= ratioAtMost)
}

function targetText({ atLeast, atMost, ratioAtLeast, ratioAtMost }: Target, unit: string): string {
  const bounds = [
    ratioAtLeast === undefined ? '' : `ratio >= ${ratioAtLeast}`,
    ratioAtMost === undefined ? '' : `ratio <= ${ratioAtMost}`,
    atLeast === undefined ? '' : `>= ${atLeast} ${unit}`,
    atMost === undefined ? '' : `<= ${atMost} ${unit}`,
  ]
  return bounds.filter((bound) => bound !== '').join(', ')
}

/** Four digits: no measurement here is better than that. */
const rounded = (value: number): number => Number(value.toPrecision(4))

/** One line of `--json`. */
export const toJsonLine = (found: Figure): string => `${JSON.stringify(found)}\n`

/** A table for people. */
export function toTable(figures: readonly Figure[]): string {
  const head = ['figure', 'value', 'reference', 'ratio', 'target', 'met']
  const rows = figures.map((found) => [
    found.name,
    `${found.value} ${found.unit}`,
    found.reference === null ? '-' : `${found.reference} (${found.referenceName})`,
    found.ratio === null ? '-' : String(found.ratio),
    found.target,
    found.met ? 'yes' : 'NO',
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[head, ...rows].map(line).join('\n')}\n`
}
