export * from './api.ts'
export { default } from './plugin.ts'
