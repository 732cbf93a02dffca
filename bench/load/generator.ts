/** The process that makes load: it signs ahead, then only writes prepared bytes and counts answers. */
import type { LoadAnswers, LoadReply, LoadRequest, LoadSetup } from './messages.ts'
import { LoadSender } from './sender.ts'
import { SignedRequests } from './signed-requests.ts'
import { Tally } from './tally.ts'

interface Opened {
  readonly requests: SignedRequests
  readonly sender: LoadSender
  readonly tally: Tally
}

let opened: Opened | undefined

function open(setup: LoadSetup): null {
  const tally = new Tally()
  const requests = new SignedRequests(setup)
  opened = { tally, requests, sender: new LoadSender(setup.form.port, requests, tally) }
  return null
}

async function answer(request: LoadRequest): Promise<LoadAnswers[keyof LoadAnswers]> {
  if (request.kind === 'open') return open(request.setup)
  if (opened === undefined) throw new TypeError('the load generator was not opened')
  const { requests, sender, tally } = opened
  switch (request.kind) {
    case 'sign': {
      const started = performance.now()
      await requests.sign(request.transactions)
      return { ready: requests.ready, ms: performance.now() - started }
    }
    case 'flood':
      return sender.flood(request.connections, request.seconds)
    case 'pace':
      return sender.pace(request.perSecond, request.seconds, request.warmSeconds)
    case 'single':
      return sender.single(request.count, request.pauseMs)
    case 'same':
      return sender.same(request.port, request.connections, request.seconds)
    case 'acknowledged':
      return tally.acknowledgedIds
    case 'sample':
      return sender.sample
  }
}

const reply = (message: LoadReply): void => void process.send?.(message)

process.on('message', (request: LoadRequest) => {
  answer(request).then(
    (found) => reply({ kind: 'done', answer: found }),
    (error: unknown) => reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
})
// Whoever started this process is gone.
process.on('disconnect', () => process.exit(0))
// Ctrl-C in a terminal goes to every process; whoever started this one ends it in its turn.
process.on('SIGINT', () => undefined)
