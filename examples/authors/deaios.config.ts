import { defineConfig } from 'deaios/config'
import execution from 'deaios/plugins/execution'
import journal from 'deaios-journal'
import authors from './src/index.ts'

export default defineConfig({ plugins: [execution(), journal(), authors()] })
