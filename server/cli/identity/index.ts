export { addKey } from './key.ts'
export { addKeystore } from './keystore.ts'
