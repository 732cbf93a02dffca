import { z } from 'zod'

/** What the published package takes over from the repository's package.json. */
const RepositoryManifest = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  type: z.literal('module'),
  license: z.string(),
  engines: z.record(z.string(), z.string()),
  imports: z.record(z.string(), z.record(z.string(), z.string())),
  exports: z.record(z.string(), z.string()),
  bin: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
})

const built = (path: string): string => path.replace(/\.ts$/, '.js')

const mapValues = <From, To>(record: Record<string, From>, change: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))

/**
 * The package.json of the built package: what points at TypeScript in the repository points at the JavaScript and the
 * types beside it. Scripts and development dependencies stay behind; vitest, which `deaios/testing` uses, becomes a
 * peer that only authors need.
 *
 * @param text the repository's package.json
 * @throws ZodError if something that the package needs is not there
 */
export function publishedManifest(text: string): string {
  const { devDependencies, imports, exports, bin, ...rest } = RepositoryManifest.parse(JSON.parse(text))
  const { vitest } = devDependencies
  if (vitest === undefined) throw new TypeError('package.json has no vitest: deaios/testing needs it')
  const manifest = {
    ...rest,
    imports: mapValues(imports, (targets) => mapValues(targets, built)),
    exports: mapValues(exports, (target) => ({ types: target.replace(/\.ts$/, '.d.ts'), default: built(target) })),
    bin: mapValues(bin, built),
    peerDependencies: { vitest: `^${vitest}` },
    peerDependenciesMeta: { vitest: { optional: true } },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}
