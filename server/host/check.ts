import semver from 'semver'
import { z } from 'zod'
import type { ConfiguredPlugin, PluginDefinition } from '../plugin/define.ts'
import { ownerOf } from '../plugin/tokens.ts'
import { API_VERSION } from '../version.ts'
import { schemaProblems } from './config-problems.ts'
import { contributionProblems } from './contribution-problems.ts'
import { describeProblem, PluginError, type PluginProblem, type PluginProblemCode } from './errors.ts'
import { jobProblems } from './job-problems.ts'
import { dependenciesOf, findCycle, sortByDependency } from './order.ts'
import { makeHost } from './plugin-host.ts'
import { routeProblems, type SeenRoutes } from './route-problems.ts'
import { unopened } from './unopened.ts'

/** A plugin that passed every check, with its config parsed. */
export interface CheckedPlugin {
  readonly definition: PluginDefinition
  readonly config: Record<string, unknown>
  readonly onBootFailure: 'abort' | 'continue'
  /** Why it is left out from the start. */
  readonly problem?: string
}

/** The schema of a plugin that takes no config. */
const NO_CONFIG = z.object({})

/** Names of Postgres schemas, and of the core itself, that a plugin cannot have. */
const RESERVED = /^(core|public|information_schema|pgboss|pg_.*)$/

/**
 * Checks all plugins together, and sorts them: each stands behind what it depends on, and else keeps its place in the
 * list. Of their code only the functions run that list jobs and the like.
 *
 * @param earlier problems found while loading, to be reported with these
 * @throws PluginError with all problems
 */
export function checkPlugins(
  plugins: readonly ConfiguredPlugin[],
  earlier: readonly PluginProblem[] = [],
): readonly CheckedPlugin[] {
  const { checked, problems } = examine(plugins, earlier)
  if (problems.length > 0) throw new PluginError(problems)
  return sortByDependency(checked)
}

/**
 * The same for a node that is to start: a plugin that may be left out (`onBootFailure: 'continue'`) is, with what is
 * wrong with it in `problem`; it stands before the others.
 * @throws PluginError with all problems if one of them is of a plugin that may not be left out
 */
export function admitPlugins(
  plugins: readonly ConfiguredPlugin[],
  earlier: readonly PluginProblem[] = [],
): readonly CheckedPlugin[] {
  const { checked, problems } = examine(plugins, earlier)
  const mayBeLeftOut = ({ plugin, code }: PluginProblem): boolean =>
    // Of two with the same name, or one without a name, nobody could say which was left out.
    code !== 'DUPLICATE_PLUGIN' &&
    code !== 'NAME_INVALID' &&
    checked.some(({ definition, onBootFailure }) => definition.name === plugin && onBootFailure === 'continue')
  const found = [...problems]
  const wrongWith = (name: string): readonly PluginProblem[] => found.filter(({ plugin }) => plugin === name)
  const good = (): CheckedPlugin[] => checked.filter(({ definition }) => wrongWith(definition.name).length === 0)
  // Who stands in a cycle is as much to blame as the others in it.
  for (let cycle = findCycle(checked.map(({ definition }) => definition)); cycle !== undefined; ) {
    for (const plugin of new Set(cycle))
      if (!wrongWith(plugin).some(({ code }) => code === 'DEPENDENCY_CYCLE')) found.push(cycleProblem(plugin, cycle))
    cycle = findCycle(good().map(({ definition }) => definition))
  }
  if (!found.every(mayBeLeftOut)) throw new PluginError(problems)
  const leftOut = checked.flatMap((plugin) => {
    const wrong = wrongWith(plugin.definition.name)
    return wrong.length === 0 ? [] : [{ ...plugin, problem: wrong.map(describeProblem).join('; ') }]
  })
  return [...leftOut, ...sortByDependency(good())]
}

/** Everything that can be said about plugins before they run. */
function examine(
  plugins: readonly ConfiguredPlugin[],
  earlier: readonly PluginProblem[],
): { readonly checked: readonly CheckedPlugin[]; readonly problems: readonly PluginProblem[] } {
  const problems = [...earlier]
  const checked: CheckedPlugin[] = []
  const byName = new Map<string, PluginDefinition>()
  for (const { definition } of plugins) {
    if (byName.has(definition.name))
      problems.push(
        problem(definition, 'DUPLICATE_PLUGIN', 'is listed twice', 'remove one of the two from deaios.config.ts'),
      )
    byName.set(definition.name, definition)
  }
  for (const plugin of plugins) {
    const { definition } = plugin
    const { value, problems: found } = checkConfig(plugin)
    problems.push(...checkIdentity(definition), ...checkDependencies(definition, byName), ...found)
    checked.push({ definition, config: value, onBootFailure: plugin.options.onBootFailure ?? 'abort' })
  }
  problems.push(...checkTopics([...byName.values()]), ...contributionProblems([...byName.values()]))
  // A plugin with a wrong config, or a name that is not one, has no host that its functions could be given.
  const blamed = new Set(problems.map(({ plugin }) => plugin))
  const routes: SeenRoutes = new Map()
  for (const plugin of checked)
    if (!blamed.has(plugin.definition.name)) problems.push(...declarationProblems(plugin, routes))
  const cycle = findCycle([...byName.values()])
  if (cycle !== undefined) problems.push(cycleProblem(cycle[0] ?? '', cycle))
  return { checked, problems }
}

const cycleProblem = (plugin: string, cycle: readonly string[]): PluginProblem => ({
  plugin,
  code: 'DEPENDENCY_CYCLE',
  problem: `depends on itself: ${cycle.join(' -> ')}`,
  mend: 'make one of these dependencies unnecessary, for example by an extension point',
})

/** What is wrong with what a plugin lists, written down or made by a function of its host. */
function declarationProblems(plugin: CheckedPlugin, routes: SeenRoutes): readonly PluginProblem[] {
  const host = makeHost(plugin, unopened(), new AbortController().signal)
  return [...jobProblems(plugin.definition, host), ...routeProblems(plugin.definition, host, routes)]
}

const problem = ({ name }: PluginDefinition, code: PluginProblemCode, what: string, mend: string): PluginProblem => ({
  plugin: name,
  code,
  problem: what,
  mend,
})

function checkIdentity(definition: PluginDefinition): readonly PluginProblem[] {
  const { name, version, api } = definition
  const problems: PluginProblem[] = []
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(name))
    problems.push(
      problem(
        definition,
        'NAME_INVALID',
        'has a name that cannot be a Postgres schema',
        'use a-z, 0-9 and _, 40 at most',
      ),
    )
  if (RESERVED.test(name)) problems.push(problem(definition, 'NAME_INVALID', 'has a reserved name', 'choose another'))
  if (semver.valid(version) === null)
    problems.push(problem(definition, 'VERSION_INVALID', `has version "${version}"`, 'write it like 1.2.0'))
  if (semver.validRange(api) === null)
    problems.push(problem(definition, 'API_RANGE', `has api "${api}"`, 'write a range like ^1.0.0'))
  else if (!semver.satisfies(API_VERSION, api))
    problems.push(
      problem(
        definition,
        'API_RANGE',
        `needs plugin API ${api}, and this server offers ${API_VERSION}`,
        semver.gtr(API_VERSION, api) ? `use a newer version of ${name}` : 'use a newer version of deaios',
      ),
    )
  return problems
}

function checkDependencies(
  definition: PluginDefinition,
  all: ReadonlyMap<string, PluginDefinition>,
): readonly PluginProblem[] {
  const problems: PluginProblem[] = []
  const dependencies = dependenciesOf(definition)
  for (const { name, range, isOptional } of dependencies) {
    const other = all.get(name)
    if (semver.validRange(range) === null)
      problems.push(
        problem(definition, 'DEPENDENCY_RANGE', `depends on ${name} "${range}"`, 'write a range like ^1.0.0'),
      )
    else if (other === undefined && !isOptional)
      problems.push(
        problem(
          definition,
          'DEPENDENCY_MISSING',
          `depends on plugin "${name}", which is not there`,
          `add ${name} to plugins in deaios.config.ts`,
        ),
      )
    else if (other !== undefined && !semver.satisfies(other.version, range))
      problems.push(
        problem(
          definition,
          'DEPENDENCY_RANGE',
          `depends on ${name} ${range}, and ${other.version} is there`,
          semver.valid(other.version) !== null && semver.gtr(other.version, range)
            ? `use a newer version of ${definition.name}, or an older one of ${name}`
            : `use a newer version of ${name}`,
        ),
      )
  }
  const declared = new Set(dependencies.map(({ name }) => name))
  for (const { id, use } of reachedTokens(definition)) {
    const owner = ownerOf({ id })
    if (owner === definition.name || declared.has(owner)) continue
    problems.push(
      problem(
        definition,
        'DEPENDENCY_UNDECLARED',
        `${use} ${id}, and does not depend on ${owner}`,
        `add ${owner} (or ?${owner}, if it may be absent) to dependsOn`,
      ),
    )
  }
  return problems
}

function reachedTokens({ requires = {}, contributes = [] }: PluginDefinition): { id: string; use: string }[] {
  const services = Object.values(requires).map((token) => (token.kind === 'optional' ? token.service : token))
  return [
    ...services.map(({ id }) => ({ id, use: 'requires' })),
    ...contributes.map(([{ id }]) => ({ id, use: 'contributes to' })),
  ]
}

function checkTopics(definitions: readonly PluginDefinition[]): readonly PluginProblem[] {
  const owners = new Map<string, string>()
  const problems: PluginProblem[] = []
  for (const definition of definitions)
    for (const { id } of definition.topics ?? []) {
      const other = owners.get(id)
      if (other !== undefined)
        problems.push(
          problem(definition, 'DUPLICATE_TOPIC', `declares topic ${id}, as plugin "${other}" does`, 'rename it'),
        )
      else if (ownerOf({ id }) !== definition.name)
        problems.push(
          problem(
            definition,
            'TOPIC_FOREIGN',
            `declares topic ${id}`,
            `a plugin's topics are named after it: ${definition.name}${id.slice(id.indexOf('.'))}`,
          ),
        )
      owners.set(id, definition.name)
    }
  return problems
}

function checkConfig({ definition, config }: ConfiguredPlugin): {
  readonly value: Record<string, unknown>
  readonly problems: readonly PluginProblem[]
} {
  const { value, problems } = schemaProblems(definition.config ?? NO_CONFIG, config)
  const mend = 'correct it in deaios.config.ts'
  return {
    value: value ?? {},
    problems: problems.map((text) => problem(definition, 'CONFIG_INVALID', `config ${text}`, mend)),
  }
}
