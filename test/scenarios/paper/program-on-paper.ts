import { type CborMap, cellId } from '../../../protocol/index.ts'
import {
  type PlannedModule,
  type Program,
  REGISTER_END,
  type SendStep,
  type Source,
  type Step,
  saltOf,
} from '../programs/program.ts'
import type { Place } from './note.ts'
import { Breakage, type PaperCall, Refusal } from './paper-call.ts'
import { isUnused } from './paper-cells.ts'
import type { PaperModule } from './paper-modules.ts'

/** A random module as the model has it: the plan is the same, and nothing else. */
export function moduleOnPaper(plan: PlannedModule, salted: ReadonlySet<string>): PaperModule {
  const { name, onBounce } = plan
  const deeds = Object.entries(plan.calls).map(([key, { most, weight, sends, isSalted, program }]) => {
    const deed = {
      module: name,
      weight,
      sends,
      takes: (args: CborMap) => Object.keys(args).sort().join() === 'n,to' && numberIn(args) <= most,
      salt: (args: CborMap) => saltOf(isSalted, numberIn(args)),
      act: (call: PaperCall, args: CborMap) =>
        follow(program, { call, salted, register: numberIn(args) % REGISTER_END, given: bytesIn(args) }),
    }
    return [key, deed] as const
  })
  return {
    deeds: new Map(deeds),
    onBounce:
      onBounce &&
      ((call, args, code) => {
        const register = ((typeof args.n === 'number' ? args.n : 0) + code.length) % REGISTER_END
        follow(onBounce, { call, salted, register, given: call.note.from.id })
      }),
  }
}

const numberIn = ({ n }: CborMap): number => (typeof n === 'number' && n >= 0 ? n : Number.POSITIVE_INFINITY)

function bytesIn({ to }: CborMap): Uint8Array {
  if (to instanceof Uint8Array) return to
  throw new TypeError('the arguments were checked before')
}

interface State {
  readonly call: PaperCall
  readonly salted: ReadonlySet<string>
  readonly given: Uint8Array
  readonly register: number
}

const plus = (state: State, more: number | bigint): State => ({
  ...state,
  register: Number((BigInt(state.register) + BigInt(more)) % BigInt(REGISTER_END)),
})

/** Follows a program step by step. @throws Refusal, Breakage */
function follow(program: Program, state: State): void {
  const [step, ...rest] = program
  if (step === undefined) return
  const isSkipping = step.op === 'skip' && holds(step.when, state)
  follow(isSkipping ? rest.slice(step.steps) : rest, take(step, state))
}

const holds = ({ modulus, rest }: { modulus: number; rest: number }, { register }: State): boolean =>
  (register - rest) % modulus === 0

function take(step: Step, state: State): State {
  const { call, register } = state
  switch (step.op) {
    case 'add':
      return plus(state, amountOf(step.source, call))
    case 'write':
      return unless(step.isCareless, state, () => call.write({ n: register, pad: new Uint8Array(register % step.pad) }))
    case 'remove':
      call.remove()
      return state
    case 'emit':
      for (let times = step.times; times > 0; times--) call.emit('programs.saw', sight(state))
      return state
    case 'send':
      return unless(step.isCareless, state, () => send(step, state))
    case 'refuse':
      if (holds(step.when, state)) throw new Refusal(step.code, `it is ${register}`)
      return state
    case 'break':
      if (holds(step.when, state)) throw new Breakage()
      return state
    case 'skip':
      return state
  }
}

/** Careless programs go on where they are refused, and count how long the reason was. */
function unless(isCareless: boolean, state: State, act: () => void): State {
  try {
    act()
    return state
  } catch (error) {
    if (isCareless && error instanceof Refusal) return plus(state, error.code.length)
    throw error
  }
}

function amountOf(source: Source, { note, balance, around, cell, licence }: PaperCall): number | bigint {
  switch (source) {
    case 'value':
      return note.value
    case 'balance':
      return balance
    case 'random':
      return around.random[0] ?? 0
    case 'height':
      return around.height
    case 'versions':
      return around.versionsOf(licence.module)
    case 'sender':
      return note.module.length
    case 'cell': {
      const { value } = cell
      return !isUnused(cell) && typeof value === 'object' && value !== null && 'n' in value ? Number(value.n) : 0
    }
  }
}

function send({ call: name, to, realm, quarters, of }: SendStep, { call, register, salted, given }: State): void {
  const { note, cell, around } = call
  const made = (creator: Uint8Array) => cellId(name.split('.')[0] ?? '', creator, saltOf(salted.has(name), register))
  const ids = {
    own: () => made(cell.id),
    payers: () => made(note.payer.id),
    self: () => cell.id,
    sender: () => note.from.id,
    payer: () => note.payer.id,
    given: () => given,
  }
  const realms = { here: around.realm, senders: note.from.realm, payers: note.payer.realm, 1: 1, 2: 2 }
  const place: Place = { realm: realms[realm], id: ids[to]() }
  const purse = of === 'value' ? note.value : call.balance
  const args: CborMap = name === 'account.credit' ? {} : { n: register, to: given }
  call.send(name, place, args, (purse * BigInt(quarters)) / 4n)
}

function sight({ call, register }: State): CborMap {
  const { note, around, balance } = call
  return {
    cell: note.to.id,
    sender: note.from.id,
    senderRealm: note.from.realm,
    senderModule: note.module,
    payer: note.payer.id,
    payerRealm: note.payer.realm,
    value: note.value,
    balance,
    height: around.height,
    time: around.time,
    shard: around.shard,
    register,
  }
}
