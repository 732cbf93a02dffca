import execution from './plugins/execution/index.ts'
import { defineConfig } from './server/config.ts'

export default defineConfig({
  plugins: [execution()],
})
