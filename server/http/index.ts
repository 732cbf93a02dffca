/** The node's network side. */
export type { MetricsAccess } from './metrics-page.ts'
export { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'
