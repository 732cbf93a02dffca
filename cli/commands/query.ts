import { type Command, InvalidArgumentError } from 'commander'
import type { Answer, Streams } from '../../server/cli/output.ts'
import { asking, type Connect, wrongUsage } from '../connection.ts'
import { parseCount } from '../numbers.ts'

interface Options {
  readonly variables: Variables
  readonly first?: number
  readonly json?: true
}

type Variables = Readonly<Record<string, unknown>>

/** `deaios query` */
export function addQuery(program: Command, streams: Streams): void {
  asking(
    program
      .command('query')
      .description('ask anything in GraphQL; a subscription prints a line for each result, until Ctrl-C')
      .argument('<document>', "like '{ network { name } }'")
      .option('--variables <json>', 'an object', parseVariables, {})
      .option('--first <count>', 'end a subscription after so many results', parseCount),
    streams,
    async (connect, command) => {
      const [text] = command.processedArgs as [string]
      if (/^\s*subscription\b/.test(text)) return follow(connect, command, text, streams)
      const { document } = await import('../../client/index.ts')
      const { variables } = command.opts<Options>()
      const data = await connect().request(document<unknown, Variables>(text), variables)
      return { json: data, text: JSON.stringify(data, null, 2) }
    },
  )
}

/** Prints results as they come; with `--json` a list of them, once there are enough. */
async function follow(connect: Connect, command: Command, text: string, streams: Streams): Promise<Answer> {
  const { variables, first, json } = command.opts<Options>()
  if (json && first === undefined)
    return wrongUsage(command, 'a subscription needs --first to end in one JSON document')
  const { document } = await import('../../client/index.ts')
  const results: unknown[] = []
  let count = 0
  for await (const result of connect().subscribe(document<unknown, Variables>(text), variables)) {
    if (json) results.push(result)
    else streams.out.write(`${JSON.stringify(result)}\n`)
    if (++count === first) break
  }
  return { json: results, text: '' }
}

function parseVariables(text: string): Variables {
  const value = parseJson(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new InvalidArgumentError('It must be a JSON object, like {"id": "0x00"}.')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
