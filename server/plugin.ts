/** What a plugin author imports. */
export { connect, type PoolOptions } from './db/connect.ts'
export { connectStatements, type StatementParameter, type Statements } from './db/statements.ts'
export { apart } from './db/work.ts'
export { JobError, type JobErrorCode } from './jobs/errors.ts'
export { FencedError, isFenced, leaseName } from './jobs/fence.ts'
export { pause } from './pause.ts'
export { bytes } from './plugin/bytes.ts'
export {
  type Audit,
  type AuditEntry,
  type Custody,
  CustodyError,
  type CustodyErrorCode,
  type CustodyRequest,
  type CustodySignature,
} from './plugin/custody.ts'
export {
  type ConfigSchema,
  type ConfiguredPlugin,
  definePlugin,
  type NoConfig,
  type PluginDefinition,
  type PluginFactory,
  type PluginOptions,
} from './plugin/define.ts'
export type { EventPage, EventRecord, Events } from './plugin/events.ts'
export { type Following, follow } from './plugin/follow.ts'
export type { Clock, Health, Host, Log, Requirements, Using } from './plugin/host.ts'
export type { HttpRoute, RouteRequest } from './plugin/http.ts'
export {
  type ContinuousJob,
  type CronJob,
  continuous,
  cron,
  type EnqueueOptions,
  type Job,
  type JobRun,
  type Jobs,
  type QueueJob,
  queue,
} from './plugin/jobs.ts'
export type { Counter, Gauge, Histogram, MetricOptions, Metrics } from './plugin/metrics.ts'
export {
  type AskOptions,
  type PeerCall,
  PeerError,
  type PeerErrorCode,
  type PeerStream,
  type Peers,
  peerCall,
  peerStream,
  RemoteError,
} from './plugin/peers.ts'
export type { DatabaseOptions, Sql, SqlOrTransaction, Transaction } from './plugin/sql.ts'
export {
  type ExtensionPoint,
  extensionPoint,
  type OptionalService,
  optional,
  ownerOf,
  type Retention,
  type Service,
  service,
  type Topic,
  type TypeRef,
  topic,
  typeRef,
} from './plugin/tokens.ts'
