import type { ContributionPairs, ServicePairs } from '../plugin/define.ts'
import { type ExtensionPoint, ownerOf, type Service } from '../plugin/tokens.ts'
import { HostError, PluginError } from './errors.ts'

interface Provided {
  readonly owner: string
  readonly implementation: unknown
}

/** All services and contributions of one node, by token. */
export class ServiceRegistry {
  readonly #services = new Map<string, Provided>()
  readonly #withdrawn = new Set<string>()
  readonly #contributions = new Map<string, unknown[]>()
  readonly #fakes: ReadonlyMap<string, unknown>

  /** @param fakes what users of these services get instead, in tests */
  constructor(fakes: ServicePairs = []) {
    this.#fakes = new Map(fakes.map(([{ id }, fake]) => [id, fake]))
  }

  /** Takes a plugin's services back: it has failed, and whoever can do without it must. */
  withdraw(owner: string): void {
    this.#withdrawn.add(owner)
  }

  /** Throws PluginError if another plugin has provided the service. */
  provide(owner: string, token: Service<unknown>, implementation: unknown): void {
    const other = this.#services.get(token.id)
    if (other !== undefined)
      throw new PluginError([
        {
          plugin: owner,
          code: 'DUPLICATE_SERVICE',
          problem: `provides ${token.id}, as plugin "${other.owner}" does`,
          mend: 'remove one of the two from deaios.config.ts',
        },
      ])
    this.#services.set(token.id, { owner, implementation })
  }

  contribute(pairs: ContributionPairs): void {
    for (const [point, contribution] of pairs) {
      const list = this.#contributions.get(point.id) ?? []
      this.#contributions.set(point.id, [...list, contribution])
    }
  }

  find<T>(token: Service<T>): T | undefined {
    const fake = this.#fakes.get(token.id)
    if (fake !== undefined) return isOf(token, fake) ? fake : undefined
    const found = this.#services.get(token.id)
    if (found === undefined || this.#withdrawn.has(found.owner)) return undefined
    return isOf(token, found.implementation) ? found.implementation : undefined
  }

  /** The instance that the plugin itself has provided. */
  own<T>(plugin: string, token: Service<T>): T {
    const found = this.#services.get(token.id)
    if (found?.owner === plugin && isOf(token, found.implementation)) return found.implementation
    throw new HostError('NOT_PROVIDED', `plugin "${plugin}": has not provided ${token.id}, so it has no own instance`)
  }

  /** In the order of dependency; only the point's owner may ask. */
  contributions<T>(plugin: string, point: ExtensionPoint<T>): readonly T[] {
    if (ownerOf(point) !== plugin)
      throw new HostError(
        'NOT_OWNER',
        `plugin "${plugin}": asks for contributions to ${point.id}, which it does not own`,
      )
    return (this.#contributions.get(point.id) ?? []).filter((value) => isOf(point, value))
  }
}

/** definePlugin has checked the pairs at compile time; ids are unique, so a token's type is its value's type. */
const isOf = <T>(_token: Service<T> | ExtensionPoint<T>, _value: unknown): _value is T => true
