import { defineConfig } from './server/config.ts'
import execution from './plugins/execution/index.ts'

export default defineConfig({
  plugins: [execution()],
})
