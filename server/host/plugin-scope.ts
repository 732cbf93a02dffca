import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { fileURLToPath } from 'node:url'

/** A timer that a plugin has left running, and where in its code it was made, if that is known. */
export interface LeftTimer {
  readonly where: string | undefined
  clear(): void
}

interface Noted {
  readonly timer: WeakRef<NodeJS.Timeout>
  readonly where: string | undefined
}

/** Timers that are remembered of one plugin. */
const MAX_NOTED = 1_000
const SERVER = fileURLToPath(new URL('../', import.meta.url))
/** Frames of Node itself, of the server and of the database's drivers: what they begin, they end. */
const OURS = /\(?(node:|native|<anonymous>)|[\\/]node_modules[\\/](postgres|pg|pg-boss|pg-pool)[\\/]/

const current = new AsyncLocalStorage<PluginScope>()

/**
 * What runs on behalf of one plugin, across awaits, timers and events: so that an error which nobody catches, or a
 * timer that nobody clears, can be told with its name.
 */
export class PluginScope {
  readonly plugin: string
  #noted: Noted[] = []

  constructor(plugin: string) {
    this.plugin = plugin
  }

  /** Whose code is running now; undefined for the node's own. */
  static get current(): PluginScope | undefined {
    return current.getStore()
  }

  /** Runs the plugin's code. */
  run<T>(work: () => T): T {
    return current.run(this, work)
  }

  /** Timers that were made while `watchTimers` looked, and that still keep the process alive. */
  leftTimers(): readonly LeftTimer[] {
    return this.#noted.flatMap(({ timer, where }) => {
      const left = timer.deref()
      return left !== undefined && isRunning(left) ? [{ where, clear: () => clearTimeout(left) }] : []
    })
  }

  /** Remembers a timer that the plugin's own code has just made. */
  note(timer: NodeJS.Timeout): void {
    const frame = ownFrame()
    if (frame === undefined) return
    if (this.#noted.length >= MAX_NOTED)
      this.#noted = this.#noted.filter((noted) => {
        const left = noted.timer.deref()
        return left !== undefined && isRunning(left)
      })
    if (this.#noted.length < MAX_NOTED) this.#noted.push({ timer: new WeakRef(timer), where: frame })
  }
}

/** The innermost frame outside Node; undefined if that is in the server or in what it uses. */
function ownFrame(): string | undefined {
  const frames = new Error('where a timer is made').stack?.split('\n').slice(1) ?? []
  const frame = frames.find((line) => !line.includes('node:') && !line.includes(import.meta.filename))
  const place = frame?.replace(/^\s*at /, '').replaceAll('file://', '')
  return place === undefined || place.includes(SERVER) || OURS.test(place) ? undefined : place
}

let watchers = 0
const hook = createHook({
  trackPromises: false,
  init(_id, type, _trigger, resource) {
    if (type === 'Timeout' && isTimeout(resource)) current.getStore()?.note(resource)
  },
})

/**
 * Looks at each timer that is made, until the function returned is called. For the time in which plugins start: once
 * requests are served it would cost them time.
 */
export function watchTimers(): () => void {
  if (watchers++ === 0) hook.enable()
  return () => {
    if (--watchers === 0) hook.disable()
  }
}

/** `hasRef` alone goes on saying yes for one that was cleared or has fired. */
const isRunning = (timer: NodeJS.Timeout): boolean =>
  timer.hasRef() && !('_destroyed' in timer && timer._destroyed === true)

const isTimeout = (resource: object): resource is NodeJS.Timeout => 'hasRef' in resource && 'refresh' in resource
