// `node test/vectors/write.ts` writes the vectors of every format beside this file.
import { writeFile } from 'node:fs/promises'
import { allVectors } from './all.ts'

for (const [name, text] of allVectors()) await writeFile(new URL(name, import.meta.url), text)
