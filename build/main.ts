/** `npm run build [FOLDER]`: makes the package to be published in dist/, for `npm pack ./dist`. */
import { resolve } from 'node:path'
import { buildPackage } from './build-package.ts'

const folder = resolve(process.argv[2] ?? 'dist')
await buildPackage(folder)
process.stdout.write(`built; npm pack ${folder} makes the archive\n`)
