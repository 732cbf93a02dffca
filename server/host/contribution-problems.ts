import type { PluginDefinition } from '../plugin/define.ts'
import type { PluginProblem } from './errors.ts'

/**
 * Contributions that an extension point takes for the same: by name, say. The second plugin is to blame.
 * @param definitions in the order in which deaios.config.ts lists them
 */
export function contributionProblems(definitions: readonly PluginDefinition[]): readonly PluginProblem[] {
  const owners = new Map<string, string>()
  return definitions.flatMap(({ name, contributes = [] }) =>
    contributes.flatMap(([{ id, unique }, contribution]) => {
      if (unique === undefined) return []
      const key = unique.of(contribution)
      const place = `${id}/${key}`
      const other = owners.get(place)
      owners.set(place, other ?? name)
      if (other === undefined) return []
      return [
        {
          plugin: name,
          code: 'DUPLICATE_CONTRIBUTION' as const,
          problem: `contributes the ${unique.what} "${key}"${other === name ? ' twice' : `, as plugin "${other}" does`}`,
          mend: other === name ? 'remove one of the two' : 'rename it',
        },
      ]
    }),
  )
}
