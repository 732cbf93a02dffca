import { WebSocket } from 'ws'
import { MAX_FRAME } from './messages.ts'

const CONNECT_MS = 2_000

/** Calls at another process's `Door`. The socket's 'open' or 'close' tells whether it let us in. */
export const dial = (url: string, secret: string): WebSocket =>
  new WebSocket(url, {
    headers: { authorization: `Bearer ${secret}` },
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    handshakeTimeout: CONNECT_MS,
  })
