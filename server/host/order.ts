import type { PluginDefinition } from '../plugin/define.ts'

export interface Dependency {
  readonly name: string
  readonly range: string
  readonly isOptional: boolean
}

/** `dependsOn`, read. */
export const dependenciesOf = ({ dependsOn = {} }: PluginDefinition): readonly Dependency[] =>
  Object.entries(dependsOn).map(([key, range]) => ({
    name: key.replace(/^\?/, ''),
    range,
    isOptional: key.startsWith('?'),
  }))

/** A path of names from a plugin back to itself, if there is one. */
export function findCycle(definitions: readonly PluginDefinition[]): readonly string[] | undefined {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]))
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    const definition = byName.get(name)
    if (definition === undefined || done.has(name)) return undefined
    const start = path.indexOf(name)
    if (start >= 0) return [...path.slice(start), name]
    for (const dependency of dependenciesOf(definition)) {
      const cycle = visit(dependency.name, [...path, name])
      if (cycle !== undefined) return cycle
    }
    done.add(name)
    return undefined
  }
  for (const { name } of definitions) {
    const cycle = visit(name, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/**
 * The same plugins, each behind those that it depends on; plugins that do not depend on each other keep their places.
 * There must be no cycle.
 */
export function sortByDependency<P extends { readonly definition: PluginDefinition }>(
  plugins: readonly P[],
): readonly P[] {
  const byName = new Map(plugins.map((plugin) => [plugin.definition.name, plugin]))
  const sorted = new Set<P>()
  const place = (plugin: P): void => {
    if (sorted.has(plugin)) return
    for (const { name } of dependenciesOf(plugin.definition)) {
      const dependency = byName.get(name)
      if (dependency !== undefined) place(dependency)
    }
    sorted.add(plugin)
  }
  for (const plugin of plugins) place(plugin)
  return [...sorted]
}
