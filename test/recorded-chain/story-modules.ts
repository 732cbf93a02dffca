import { counter } from '../../plugins/execution/fixtures/counter.ts'
import { counter2 } from '../../plugins/execution/fixtures/counter-2.ts'
import { sly } from '../../plugins/execution/fixtures/sly.ts'
import { account } from '../../plugins/execution/modules/account.ts'
import { asset } from '../../plugins/execution/modules/asset.ts'
import { faucet } from '../../plugins/execution/modules/faucet.ts'
import { diary } from '../scenarios/modules/diary.ts'
import { splitter } from '../scenarios/modules/splitter.ts'

/** The ledger modules that the story begins with. */
export const storyModules = [account, faucet, asset, counter, sly, diary, splitter]

/** Versions that the network switches to in the course of it. */
export const laterModules = [counter2]
