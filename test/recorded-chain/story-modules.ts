import { counter } from '../../plugins/execution/fixtures/counter.ts'
import { sly } from '../../plugins/execution/fixtures/sly.ts'
import { account } from '../../plugins/execution/modules/account.ts'
import { asset } from '../../plugins/execution/modules/asset.ts'
import { faucet } from '../../plugins/execution/modules/faucet.ts'
import { diary } from '../scenarios/modules/diary.ts'
import { splitter } from '../scenarios/modules/splitter.ts'

/** The ledger modules of the story. */
export const storyModules = [account, faucet, asset, counter, sly, diary, splitter]
