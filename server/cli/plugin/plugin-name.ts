import { CommandError } from '../command-error.ts'

/** One name in the ways in which code writes it. */
export interface PluginName {
  /** As it was given: the plugin, its Postgres schema, its ledger module. */
  readonly plain: string
  /** `solar_wind` in identifiers: `solarWind`. */
  readonly camel: string
  /** `solar_wind` in types: `SolarWind`. */
  readonly pascal: string
}

/** @throws CommandError NAME_INVALID if no plugin can be called so */
export function pluginName(text: string): PluginName {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(text) || text.length > 40)
    throw new CommandError('NAME_INVALID', `"${text}" cannot name a plugin; use a-z, 0-9 and _, like solar_wind`)
  const words = text.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  const pascal = words.join('')
  return { plain: text, pascal, camel: pascal.charAt(0).toLowerCase() + pascal.slice(1) }
}

/** What the example's name is in a text becomes the new one, in the same way of writing. */
export const renamed = (text: string, from: PluginName, to: PluginName): string =>
  text
    .replaceAll(from.pascal, to.pascal)
    // At the beginning of an identifier, like `journalEntries`.
    .replaceAll(new RegExp(`\\b${from.camel}(?=[A-Z])`, 'g'), to.camel)
    .replaceAll(new RegExp(`\\b${from.plain}\\b`, 'g'), to.plain)
