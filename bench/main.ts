import { enableCompileCache } from 'node:module'

enableCompileCache()

const { runBench } = await import('./program.ts')
process.exitCode = await runBench(process.argv.slice(2), { out: process.stdout, err: process.stderr })
