import { MutationRef, SubscriptionRef } from '@pothos/core'
import type { TypeRef } from '../server/plugin.ts'
import type { SchemaProblem } from './errors.ts'

/** The parts of Pothos's type references that ownership looks at. */
interface WatchedRef {
  readonly name: string
  onConfig(callback: (config: { readonly name: string }) => undefined): void
  prepareForBuild(): void
  onField?(callback: (...args: never[]) => void): void
}

/** The parts of Pothos's config store that ownership watches. Methods, so that Pothos's narrower types fit. */
interface WatchedStore {
  addTypeRef(ref: WatchedRef): void
  addFields(param: unknown, fields: () => object): void
  associateParamWithRef(param: unknown, ref: unknown): void
}

/** Fields that are added to a type from outside; their names are known when the schema is built. */
interface Extension {
  readonly owner: string
  readonly ref: unknown
  names: readonly string[]
}

interface Definition {
  readonly owner: string
  readonly ref: unknown
}

const shared = new Set(['Query', 'Mutation', 'Subscription'])

/**
 * Knows which plugin defines which type, and which plugin extends it through which token, whatever the order they
 * come in. Pothos alone reports a clash without saying between whom, and lets anyone with a reference add fields.
 */
export class Ownership {
  readonly #problems: SchemaProblem[] = []
  readonly #definitions = new Map<string, Definition>()
  readonly #extensions: Extension[] = []
  readonly #tokens = new Map<TypeRef<unknown>, { readonly ref: unknown; readonly users: Set<string> }>()
  readonly #standsFor = new Map<unknown, unknown>()
  #owner = 'core'
  #latest = 'core'

  /** Whose code ran last: the one to blame for what Pothos has just thrown. */
  get latest(): string {
    return this.#latest
  }

  /** Runs `define` with everything that it adds to the schema counted as `owner`'s. */
  as<T>(owner: string, define: () => T): T {
    const before = this.#owner
    this.#owner = owner
    this.#latest = owner
    try {
      return define()
    } finally {
      this.#owner = before
    }
  }

  /** The reference that stands for a token in this schema; the same one each time. */
  refOf<Ref>(token: TypeRef<unknown>, make: () => Ref, isRef: (value: unknown) => value is Ref): Ref {
    const known = this.#tokens.get(token)
    if (known !== undefined && isRef(known.ref)) {
      known.users.add(this.#owner)
      return known.ref
    }
    const ref = make()
    this.#tokens.set(token, { ref, users: new Set([this.#owner]) })
    return ref
  }

  /** Watches everything that is added to a builder's config store. */
  watch(store: WatchedStore): void {
    const addTypeRef = store.addTypeRef.bind(store)
    store.addTypeRef = (ref) => {
      const owner = this.#owner
      let clash = false
      ref.onConfig((config) => {
        clash ||= this.#define(config.name, owner, ref)
      })
      if (clash) return
      // Field thunks run while the schema is built; what they define is still this owner's.
      const prepare = ref.prepareForBuild.bind(ref)
      ref.prepareForBuild = () => this.as(owner, prepare)
      const onField = ref.onField?.bind(ref)
      if (onField !== undefined) ref.onField = (callback) => this.as(owner, () => onField(callback))
      addTypeRef(ref)
    }
    const addFields = store.addFields.bind(store)
    store.addFields = (param, fields) => {
      const owner = this.#owner
      const extension: Extension = { owner, ref: param, names: [] }
      this.#extensions.push(extension)
      addFields(param, () => {
        const made = this.as(owner, fields)
        extension.names = Object.keys(made)
        return made
      })
    }
    const associate = store.associateParamWithRef.bind(store)
    store.associateParamWithRef = (param, ref) => {
      if (typeof ref !== 'string') this.#standsFor.set(param, ref)
      associate(param, ref)
    }
  }

  /** Whether anyone adds fields to this root type. */
  isExtended(root: 'Mutation' | 'Subscription'): boolean {
    const Root = root === 'Mutation' ? MutationRef : SubscriptionRef
    return this.#extensions.some(({ ref }) => ref instanceof Root)
  }

  /** Whose a type is, or a field of it; `core` for what only the server can have made. To be asked of a built schema. */
  ownerOf(type: string, field?: string): string {
    const extension = this.#extensions.find(
      ({ ref, names }) => field !== undefined && names.includes(field) && this.#nameOf(ref) === type,
    )
    return extension?.owner ?? this.#definitions.get(type)?.owner ?? 'core'
  }

  #nameOf(ref: unknown): string | undefined {
    const resolved = this.#resolve(ref)
    const defined = [...this.#definitions].find(([, definition]) => definition.ref === resolved)?.[0]
    if (defined !== undefined) return defined
    const isNamed = typeof ref === 'object' && ref !== null && 'name' in ref
    return typeof ref === 'string' ? ref : isNamed && typeof ref.name === 'string' ? ref.name : undefined
  }

  /** Everything wrong, including what can be judged only when every plugin has had its turn. */
  problems(): readonly SchemaProblem[] {
    const late: SchemaProblem[] = []
    const note = (code: SchemaProblem['code'], owner: string, message: string) => late.push({ code, owner, message })
    for (const [token, { ref, users }] of this.#tokens) {
      const definition = this.#definitions.get(token.name)
      for (const user of users) {
        if (definition === undefined) {
          note(
            'TYPE_MISSING',
            user,
            `it uses the type ${token.name}, which no loaded plugin defines. Add the plugin that does.`,
          )
        } else if (this.#resolve(ref) !== definition.ref && user !== definition.owner) {
          note(
            'TOKEN_FORGED',
            user,
            `its token for the type ${token.name} is not the one that plugin "${definition.owner}" defined it with. Import that one from its api.ts.`,
          )
        }
      }
    }
    const tokenRefs = new Set([...this.#tokens.values()].map((token) => token.ref))
    for (const { owner, ref } of this.#extensions) {
      const name = [...this.#definitions].find(([, definition]) => definition.ref === this.#resolve(ref))?.[0]
      const definition = name === undefined ? undefined : this.#definitions.get(name)
      if (name === undefined || definition === undefined || shared.has(name)) continue
      if (definition.owner !== owner && !tokenRefs.has(ref)) {
        note(
          'TYPE_NOT_OWNED',
          owner,
          `it adds fields to the type ${name} of plugin "${definition.owner}" without its token. Extend builder.refOf(token), with a token that plugin exports.`,
        )
      }
    }
    return [...this.#problems, ...late]
  }

  /** Returns true for a clash, and notes it. */
  #define(name: string, owner: string, ref: unknown): boolean {
    const known = this.#definitions.get(name)
    if (known === undefined) {
      this.#definitions.set(name, { owner, ref })
      return false
    }
    if (known.ref === ref && known.owner === owner) return false
    const message =
      known.owner === owner
        ? `it defines the type ${name} twice. Define it once and share the reference.`
        : `it defines the type ${name}, which plugin "${known.owner}" defines already. Rename yours, or extend theirs through its token.`
    this.#problems.push({ code: 'DUPLICATE_TYPE', owner, message })
    return true
  }

  #resolve(ref: unknown): unknown {
    let current = ref
    // Bounded, so that two references that stand for each other cannot hang a start.
    for (let hops = 0; hops < 8 && this.#standsFor.has(current); hops++) current = this.#standsFor.get(current)
    return current
  }
}
