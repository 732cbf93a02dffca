#!/usr/bin/env node
import * as modules from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { V8_FLAGS } from './v8-flags.ts'

const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 24) {
  process.stderr.write(`NODE_TOO_OLD: deaios needs Node.js 24 or later, and this is ${process.versions.node}\n`)
  process.exit(1)
}

for (const flag of V8_FLAGS) setFlagsFromString(flag)
// Before anything else is loaded: the second start then compiles almost nothing.
modules.enableCompileCache()

const { runProgram } = await import('./cli/program.ts')
process.exitCode = await runProgram(process.argv.slice(2), { out: process.stdout, err: process.stderr })
