import { defineConfig } from 'deaios/config'
import execution from 'deaios/plugins/execution'
import journal from './src/plugin.ts'

export default defineConfig({ plugins: [execution(), journal()] })
