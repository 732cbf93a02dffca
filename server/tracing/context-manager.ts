import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api'

/** Knows the span that code runs in, across awaits, timers and events. */
export class AsyncContextManager implements ContextManager {
  readonly #current = new AsyncLocalStorage<Context>()

  active(): Context {
    return this.#current.getStore() ?? ROOT_CONTEXT
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#current.run(context, () => run.apply(self, args))
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target
    return new Proxy(target, {
      apply: (run, self, args) => this.#current.run(context, () => Reflect.apply(run, self, args)),
    })
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.#current.disable()
    return this
  }
}
