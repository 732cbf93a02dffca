import type { Principal } from '../../schema/index.ts'
import type { Host } from './host.ts'

/** A request to a plugin's route. */
export interface RouteRequest {
  /** As the web standard has it. Its body is bounded; its signal aborts with the client, the time limit and the node. */
  readonly request: Request
  /** What stands for the `:names` of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly principal: Principal
  /** Names this request in logs. */
  readonly requestId: string
}

/** Something that a plugin serves beside GraphQL: a picture, an upload, another protocol. */
export interface HttpRoute<H = Host> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Like `/weather/:id.png`. `/graphql`, `/healthz`, `/readyz` and `/metrics` are the server's own. */
  readonly path: string
  /** Bytes that a body may have; 1 MiB if absent. */
  readonly maxBodyBytes?: number
  /** The scope that a caller must have; anybody may call if absent. */
  readonly scope?: string
  /** Throw an `apiError` to refuse: it becomes a JSON answer with its code. Anything else is masked and logged. */
  handle(request: RouteRequest, host: H): Response | Promise<Response>
}
