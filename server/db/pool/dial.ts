import { once } from 'node:events'
import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { DatabaseOptions } from '../../plugin/sql.ts'
import { ConnectionError } from './connection-error.ts'

const KEEP_ALIVE_MS = 60_000
/** Asks a server whether it speaks TLS: the message's length and its number. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const YES = 'S'.charCodeAt(0)

/**
 * Connects to a server, with TLS if the options ask for it.
 * @param signal ends the attempt
 * @throws Node's error (`code` like ECONNREFUSED), ConnectionError SSL_REFUSED, or the signal's reason
 */
export async function dial(options: DatabaseOptions, signal: AbortSignal): Promise<Socket> {
  const { host, port, ssl } = options
  signal.throwIfAborted()
  const socket = createConnection(
    host.startsWith('/')
      ? { path: `${host}/.s.PGSQL.${port}` }
      : { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
  )
  try {
    await once(socket, 'connect', { signal })
    return ssl === undefined ? socket : await secured(socket, options, signal)
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    throw error
  }
}

async function secured(socket: Socket, { host, ssl }: DatabaseOptions, signal: AbortSignal): Promise<Socket> {
  socket.write(SSL_REQUEST)
  const ended = new AbortController()
  const end = (): void => ended.abort(new ConnectionError('CONNECTION_CLOSED', 'the server ended the connection'))
  socket.once('close', end)
  const [answer]: unknown[] = await once(socket, 'data', { signal: AbortSignal.any([signal, ended.signal]) }).catch(
    (error: unknown) => {
      ended.signal.throwIfAborted()
      throw error
    },
  )
  socket.off('close', end)
  if (!(answer instanceof Uint8Array) || answer[0] !== YES) {
    if (ssl === 'prefer') return socket
    throw new ConnectionError('SSL_REFUSED', 'the database server speaks no TLS; enable it there, or drop sslmode')
  }
  const tls: TLSSocket = connectTls({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: ssl === 'verify-full',
  })
  await once(tls, 'secureConnect', { signal })
  return tls
}
