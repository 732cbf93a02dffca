import { deserialize, serialize } from 'node:v8'
import { RemoteError } from '../plugin/peers.ts'

/** What a caller sends. `id`s are the caller's own. */
export type Request =
  | { readonly type: 'call' | 'stream'; readonly id: number; readonly method: string; readonly input: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  /** The reader takes so many more items. */
  | { readonly type: 'more'; readonly id: number; readonly items: number }

/** What comes back. */
export type Reply =
  | { readonly type: 'answer'; readonly id: number; readonly output: unknown }
  | { readonly type: 'item'; readonly id: number; readonly item: unknown }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly code: string | undefined; readonly message: string }
  /** This node does not lead; nothing was done, or what was done is of no more use. */
  | { readonly type: 'gone'; readonly id: number; readonly done: boolean }
  | { readonly type: 'busy'; readonly id: number }

/** Several messages are one frame. Only nodes that read the same database's secrets come to send one. */
export const encodeFrame = (messages: readonly unknown[]): Buffer => serialize(messages)

/** Reads a frame of the other side. The copy frees the socket's larger buffer, which bytes in it would keep. */
export const decodeFrame = <Message>(frame: Buffer): readonly Message[] => deserialize(Buffer.copyBytesFrom(frame))

/** Calls and streams that one node may have open at another. */
export const MAX_OPEN = 20_000
/** Bytes of one frame. */
export const MAX_FRAME = 256 * 1024 * 1024
/** Bytes that may wait in a socket. */
export const MAX_BUFFERED = 64 * 1024 * 1024
/** Items of a stream that are on their way to a reader. */
export const WINDOW = 64

export const failureOf = (id: number, error: unknown): Reply => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  return { type: 'failed', id, code, message: error instanceof Error ? error.message : String(error) }
}

export const remoteError = (reply: Extract<Reply, { type: 'failed' }>): RemoteError =>
  new RemoteError(reply.code, reply.message)
