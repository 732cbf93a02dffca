import type { ServerResponse } from 'node:http'
import type { Health } from '../plugin.ts'
import { sendJson } from './http-error.ts'

const LEAVING: Health = { ok: false, message: 'the node is shutting down' }

/** GET /healthz: whether the process lives, and means to go on. Whoever supervises it starts it again if not. */
export function answerAlive(response: ServerResponse, draining: boolean): void {
  send(response, draining ? LEAVING : { ok: true })
}

/** GET /readyz: whether requests can be served now. Whoever balances load sends them elsewhere if not. */
export async function answerReady(
  response: ServerResponse,
  draining: boolean,
  ready: (() => Promise<Health> | Health) | undefined,
): Promise<void> {
  send(response, draining ? LEAVING : ((await ready?.()) ?? { ok: true }))
}

const send = (response: ServerResponse, health: Health): void =>
  sendJson(response, health.ok ? 200 : 503, JSON.stringify(health))
