/** Lines of `label  value`, values one under the other; those without a value are left out. */
export function lines(rows: readonly (readonly [label: string, value: string | undefined])[]): string {
  const shown = rows.filter(([, value]) => value !== undefined)
  const width = Math.max(...shown.map(([label]) => label.length)) + 2
  return shown.map(([label, value]) => `${label.padEnd(width)}${value}`).join('\n')
}
