import semver from 'semver'
import { dependenciesOf } from '../host/order.ts'
import { type ConfiguredPlugin, definePlugin, type ServicePairs } from '../plugin/define.ts'
import { ownerOf, type Service } from '../plugin/tokens.ts'
import { API_VERSION } from '../version.ts'
import { TestKitError } from './errors.ts'

/** Service tokens, each beside a fake of its type, which may leave out what is not used. */
export type FakesOf<F extends readonly unknown[]> = {
  readonly [K in keyof F]: readonly [token: Service<F[K]>, fake: Partial<NoInfer<F[K]>>]
}

/** The fakes as services: a member that a fake does not have says so when it is used. */
export const completed = (fakes: ServicePairs): ServicePairs =>
  fakes.map(([token, fake]) => [token, complaining(token.id, fake)] as const)

function complaining(id: string, fake: unknown): unknown {
  if (typeof fake !== 'object' || fake === null) return fake
  return new Proxy(fake, {
    get(target, key, receiver) {
      // A promise asks everything that it is given for `then`.
      if (key in target || typeof key === 'symbol' || key === 'then') return Reflect.get(target, key, receiver)
      throw new TestKitError('FAKE_INCOMPLETE', `the fake of ${id} has no "${key}", which was used; add it`)
    },
  })
}

/**
 * Plugins that stand in for those whose services a test fakes and that it does not load: each has the name and a
 * version that the others ask for.
 */
export function standIns(plugins: readonly ConfiguredPlugin[], fakes: ServicePairs): readonly ConfiguredPlugin[] {
  const present = new Set(plugins.map(({ definition }) => definition.name))
  const absent = new Set(fakes.map(([token]) => ownerOf(token)).filter((owner) => !present.has(owner)))
  return [...absent].map((name) => definePlugin({ name, version: versionFor(name, plugins), api: `^${API_VERSION}` })())
}

/** The lowest version that all its users accept. */
function versionFor(name: string, plugins: readonly ConfiguredPlugin[]): string {
  const range = plugins
    .flatMap(({ definition }) => dependenciesOf(definition))
    .filter((dependency) => dependency.name === name)
    .map((dependency) => dependency.range)
    .join(' ')
  return (semver.validRange(range) === null ? null : semver.minVersion(range))?.version ?? '1.0.0'
}
