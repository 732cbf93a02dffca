import { z } from 'zod'
import {
  type CallContext,
  CallError,
  call,
  cellType,
  type LedgerModule,
  ledgerModule,
} from '../../../plugins/execution/ledger/index.ts'
import { cellId } from '../../../protocol/index.ts'
import { topic } from '../../../server/plugin.ts'
import { type PlannedCall, type PlannedModule, type Program, REGISTER_END, type SendStep, saltOf } from './program.ts'

/** What cells of random modules hold. */
export const Page = cellType('programs.page', z.strictObject({ n: z.int(), pad: z.instanceof(Uint8Array) }))
const Saw = topic('programs.saw', z.looseObject({}))

interface Given {
  readonly n: number
  readonly to: Uint8Array
}

/** The calls of which programs believe that they make salted cells. A version for which that is wrong refuses to. */
export type Salted = ReadonlySet<string>

/** A module as a plan has it: its calls run their programs. */
export function plannedModule(plan: PlannedModule, salted: Salted, url: string): LedgerModule {
  const { name, version, onBounce } = plan
  const calls = Object.entries(plan.calls).map(([key, one]) => [key, plannedCall(plan, one, salted)] as const)
  return ledgerModule(name, {
    url,
    version,
    home: 'shard',
    calls: Object.fromEntries(calls),
    ...(onBounce === undefined
      ? {}
      : {
          onBounce(ctx: CallContext, { args, code }) {
            const start = typeof args.n === 'number' ? args.n : 0
            run({ ctx, name, salted }, onBounce, { n: start + code.length, to: ctx.sender })
          },
        }),
  })
}

const plannedCall = (
  { name }: PlannedModule,
  { most, weight, sends, isSalted, program }: PlannedCall,
  salted: Salted,
) =>
  call({
    args: z.strictObject({ n: z.int().min(0).max(most), to: z.instanceof(Uint8Array) }),
    weight: () => BigInt(weight),
    sends,
    creates: ({ n }, sender) => ({ creator: sender, salt: saltOf(isSalted, n) }),
    apply: (ctx, given) => run({ ctx, name, salted }, program, given),
  })

interface Running {
  readonly ctx: CallContext
  readonly name: string
  readonly salted: Salted
}

function run({ ctx, name, salted }: Running, program: Program, given: Given): void {
  let register = given.n % REGISTER_END
  const add = (more: bigint | number): void => {
    register = Number((BigInt(register) + BigInt(more)) % BigInt(REGISTER_END))
  }
  const holds = ({ modulus, rest }: { modulus: number; rest: number }): boolean => register % modulus === rest
  const attempt = (isCareless: boolean, what: () => void): void => {
    try {
      what()
    } catch (error) {
      if (!isCareless || !(error instanceof CallError)) throw error
      add(error.code.length)
    }
  }
  for (let at = 0; at < program.length; at++) {
    const step = program[at]!
    switch (step.op) {
      case 'add':
        if (step.source === 'cell') add(ctx.read(Page)?.n ?? 0)
        else if (step.source === 'value') add(ctx.value)
        else if (step.source === 'balance') add(ctx.balance)
        else if (step.source === 'random') add(ctx.random[0] ?? 0)
        else if (step.source === 'height') add(ctx.height)
        else if (step.source === 'sender') add(ctx.senderModule.length)
        else add(countOf(ctx.root(`module/${name}`)))
        break
      case 'write': {
        const page = { n: register, pad: new Uint8Array(register % step.pad) }
        attempt(step.isCareless, () => ctx.write(Page, page))
        break
      }
      case 'remove':
        ctx.remove()
        break
      case 'emit':
        for (let i = 0; i < step.times; i++) ctx.emit(Saw, { ...sightOf(ctx), register })
        break
      case 'send': {
        const message = { to: targetOf(ctx, step, salted, { ...given, n: register }), ...realmOf(ctx, step) }
        const base = step.of === 'value' ? ctx.value : ctx.balance
        const value = (base * BigInt(step.quarters)) / 4n
        const args = step.call === 'account.credit' ? {} : { n: register, to: given.to }
        attempt(step.isCareless, () => ctx.send({ ...message, call: step.call, args, value }))
        break
      }
      case 'refuse':
        if (holds(step.when)) throw new CallError(step.code, `it is ${register}`)
        break
      case 'break':
        if (holds(step.when)) throw new RangeError('a program broke')
        break
      case 'skip':
        if (holds(step.when)) at += step.steps
        break
    }
  }
}

function targetOf(ctx: CallContext, { to, call }: SendStep, salted: Salted, { n, to: given }: Given): Uint8Array {
  const derived = (creator: Uint8Array) => cellId(call.split('.')[0] ?? '', creator, saltOf(salted.has(call), n))
  if (to === 'own') return derived(ctx.cell)
  if (to === 'payers') return derived(ctx.payer)
  if (to === 'self') return ctx.cell
  if (to === 'given') return given
  return to === 'sender' ? ctx.sender : ctx.payer
}

function realmOf(ctx: CallContext, { realm }: SendStep): { readonly realm?: number } {
  if (realm === 'here') return {}
  if (realm === 'senders') return { realm: ctx.senderRealm }
  return { realm: realm === 'payers' ? ctx.payerRealm : realm }
}

const sightOf = (ctx: CallContext) => ({
  cell: ctx.cell,
  sender: ctx.sender,
  senderRealm: ctx.senderRealm,
  senderModule: ctx.senderModule,
  payer: ctx.payer,
  payerRealm: ctx.payerRealm,
  value: ctx.value,
  balance: ctx.balance,
  height: ctx.height,
  time: ctx.time,
  shard: ctx.shard,
})

/** How many versions the root chain exports of a module. */
const countOf = (versions: unknown): number => (Array.isArray(versions) ? versions.length : 0)
