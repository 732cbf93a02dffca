/**
 * Writes what is generated from the schema: schema/schema.graphql, and client/generated/graphql.ts with the types of
 * client/documents/*.graphql. With `--check` nothing is written, and it fails if something is stale.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { codegen } from '@graphql-codegen/core'
import * as typedDocuments from '@graphql-codegen/typed-document-node'
import * as operations from '@graphql-codegen/typescript-operations'
import { type GraphQLSchema, lexicographicSortSchema, parse, printSchema } from 'graphql'
import { loadConfig } from './server/config.ts'
import { checkPlugins } from './server/host/check.ts'
import { loadPlugins } from './server/host/load.ts'
import { printableSchema } from './server/host/schema.ts'

const root = import.meta.dirname
const documentsFolder = join(root, 'client/documents')

/** The schema of deaios.config.ts's plugins; nothing is opened for it. */
async function loadSchema(): Promise<GraphQLSchema> {
  const config = await loadConfig({ config: join(root, 'deaios.config.ts') })
  const { plugins, problems } = await loadPlugins(config.plugins, config.file)
  return lexicographicSortSchema(printableSchema(checkPlugins(plugins, problems)))
}

async function generateClient(schema: GraphQLSchema, sdl: string): Promise<string> {
  const names = (await readdir(documentsFolder)).filter((name) => name.endsWith('.graphql')).sort()
  const documents = await Promise.all(
    names.map(async (name) => ({
      location: name,
      document: parse(await readFile(join(documentsFolder, name), 'utf8')),
    })),
  )
  const scalar = (input: string, output = input) => ({ input, output })
  const config = {
    enumsAsTypes: true,
    immutableTypes: true,
    useTypeImports: true,
    documentMode: 'string',
    skipTypename: true,
    strictScalars: true,
    scalars: {
      Bytes: scalar('string'),
      BigInt: scalar('string | number', 'string'),
      DateTime: scalar('string'),
      JSON: scalar('unknown'),
      Cursor: scalar('string'),
    },
  }
  const text = await codegen({
    filename: 'client/generated/graphql.ts',
    schema: parse(sdl),
    schemaAst: schema,
    documents,
    config,
    plugins: [{ operations: {} }, { typedDocuments: {} }],
    pluginMap: { operations, typedDocuments },
  })
  return `// Generated from schema/schema.graphql and client/documents by \`npm run schema\`.\n${text}\n`
}

const schema = await loadSchema()
const sdl = `${printSchema(schema)}\n`
const files = new Map([
  [join(root, 'schema/schema.graphql'), sdl],
  [join(root, 'client/generated/graphql.ts'), await generateClient(schema, sdl)],
])

if (process.argv.includes('--check')) {
  const stale: string[] = []
  for (const [file, text] of files) {
    const found = await readFile(file, 'utf8').catch(() => undefined)
    if (found !== text) stale.push(relative(root, file))
  }
  if (stale.length > 0) {
    process.stderr.write(`Stale: ${stale.join(', ')}. Run npm run schema, and commit what changes.\n`)
    process.exitCode = 1
  }
} else {
  for (const [file, text] of files) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    process.stdout.write(`wrote ${relative(root, file)}\n`)
  }
}
