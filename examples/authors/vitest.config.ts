export { default } from 'deaios/testing/vitest'
