import { Random } from '../random.ts'
import type { Condition, PlannedCall, PlannedModule, Program, SendStep, Step } from './program.ts'
import { REGISTER_END } from './program.ts'

/** In this order: a module sends to later ones only, so that no sends lead back. */
export const NAMES = ['late', 'alpha', 'beta', 'gamma', 'omega'] as const
/** Networks begin without it. */
export const LATE = 'late'
export const VERSIONS = [1, 2, 3] as const
/** Calls that every version has, and others send. The rest only transactions call: versions may lack it. */
const STABLE = ['first', 'second']
const CREDIT = 'account.credit'
const CREDIT_WEIGHT = 3
/** What a call may weigh with all that it sends, at most: then few sets it off that are many. */
const MOST_WEIGHT = 400
/** Few of these fill a block. */
const HEAVY = 24_000

/** Draws all versions of all modules of a seed. */
export function drawModules(seed: number): readonly PlannedModule[] {
  const random = new Random(seed)
  const modules: PlannedModule[] = []
  /** What calls weigh at most, in whatever version, with all that they may send. */
  const weights = new Map([[CREDIT, CREDIT_WEIGHT]])
  for (const name of [...NAMES].reverse()) {
    const versions = VERSIONS.map((version) => drawModule(random, { name, version }, weights))
    for (const call of STABLE) {
      const most = versions.map(({ calls }) => (calls[call] === undefined ? 0 : weightOf(calls[call], weights)))
      weights.set(`${name}.${call}`, Math.max(...most))
    }
    modules.push(...versions)
  }
  return modules
}

const weightOf = ({ weight, sends }: PlannedCall, weights: ReadonlyMap<string, number>): number =>
  Object.entries(sends).reduce((sum, [call, times]) => sum + times * (weights.get(call) ?? 0), weight)

function drawModule(
  random: Random,
  { name, version }: { readonly name: string; readonly version: number },
  weights: ReadonlyMap<string, number>,
): PlannedModule {
  const calls: Record<string, PlannedCall> = {}
  for (const call of STABLE) calls[call] = drawCall(random, weights)
  if (random.percent(60)) calls.passing = drawCall(random, weights)
  // It is there in every version, for whoever wants to fill blocks, but weighs more in some.
  calls.heavy = { ...drawCall(random, new Map()), weight: HEAVY - 1000 * version }
  const onBounce = random.percent(70) ? [...drawProgram(random, []), ...drawEnd(random)] : undefined
  return { name, version, calls, onBounce }
}

function drawCall(random: Random, weights: ReadonlyMap<string, number>): PlannedCall {
  const weight = random.between(1, 30)
  const sends: Record<string, number> = {}
  let left = MOST_WEIGHT - weight
  const known = [...weights.keys()]
  for (let i = random.below(4); i > 0 && known.length > 0; i--) {
    const call = random.pick(known)
    const needed = weights.get(call) ?? 0
    if (needed > left) continue
    left -= needed
    sends[call] = (sends[call] ?? 0) + 1
  }
  return {
    most: random.percent(80) ? REGISTER_END : REGISTER_END / 2,
    weight,
    sends,
    isSalted: random.percent(30),
    program: drawProgram(random, Object.keys(sends)),
  }
}

const drawCondition = (random: Random): Condition => {
  const modulus = random.between(2, 9)
  return { modulus, rest: random.below(modulus) }
}

function drawProgram(random: Random, sends: readonly string[]): Program {
  // Cells that are there can be told of what bounces.
  const steps: Step[] = random.percent(50) ? [{ op: 'write', pad: 4, isCareless: true }] : []
  for (let i = random.between(2, 7); i > 0; i--) steps.push(drawStep(random, sends))
  // Each call that is declared is sent somewhere, most of the time.
  for (const call of sends) {
    if (random.percent(85)) steps.splice(random.below(steps.length + 1), 0, drawSend(random, call))
  }
  return steps
}

/** Some programs fail at their very end, when they have changed something. */
function drawEnd(random: Random): Program {
  if (random.percent(50)) return []
  const when = { modulus: 2, rest: random.below(2) }
  return [random.percent(50) ? { op: 'refuse', code: 'TOO_LATE', when } : { op: 'break', when }]
}

function drawStep(random: Random, sends: readonly string[]): Step {
  const dice = random.below(100)
  if (dice < 25) {
    const sources = ['cell', 'cell', 'value', 'balance', 'random', 'height', 'versions', 'sender'] as const
    return { op: 'add', source: random.pick(sources) }
  }
  if (dice < 55) return { op: 'write', pad: random.pick([1, 4, 40]), isCareless: random.percent(40) }
  if (dice < 60) return { op: 'remove' }
  if (dice < 75) return { op: 'emit', times: random.percent(2) ? 65 : random.between(1, 2) }
  if (dice < 82) return { op: 'refuse', code: random.pick(['NOT_TODAY', 'NOT_HERE']), when: drawCondition(random) }
  if (dice < 86) return { op: 'break', when: drawCondition(random) }
  if (dice < 95) return { op: 'skip', steps: random.between(1, 3), when: drawCondition(random) }
  // Whatever the call declares: it may be too much of it.
  return drawSend(random, random.percent(50) && sends.length > 0 ? random.pick(sends) : CREDIT)
}

function drawSend(random: Random, call: string): SendStep {
  return {
    op: 'send',
    call,
    to: random.pick(['own', 'own', 'payers', 'self', 'sender', 'payer', 'given', 'given']),
    realm: random.pick(['here', 'here', 'here', 'here', 'senders', 'payers', 1, 2]),
    quarters: random.percent(3) ? 5 : random.below(5),
    of: random.percent(75) ? 'value' : 'balance',
    isCareless: random.percent(30),
  }
}

/** The calls whose first version makes salted cells: what senders go by, whatever the version is by then. */
export const saltedCalls = (modules: readonly PlannedModule[]): ReadonlySet<string> =>
  new Set(
    modules
      .filter(({ version }) => version === VERSIONS[0])
      .flatMap(({ name, calls }) =>
        Object.entries(calls).flatMap(([call, { isSalted }]) => (isSalted ? [`${name}.${call}`] : [])),
      ),
  )
