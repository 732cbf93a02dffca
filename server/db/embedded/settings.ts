import { totalmem } from 'node:os'

/**
 * Settings for many small durable commits and bulk inserts. They are given on the command line, so an existing
 * cluster follows when they change.
 */
export function postgresSettings(durable: boolean): Readonly<Record<string, string>> {
  const megabytes = Math.floor(totalmem() / 2 ** 20)
  return {
    listen_addresses: '',
    unix_socket_permissions: '0700',
    // Each shard has up to four of its own, and a network up to 64 shards.
    max_connections: '400',
    // What a process that was killed has asked for is given up soon.
    client_connection_check_interval: '2s',
    shared_buffers: `${Math.min(512, Math.max(128, Math.floor(megabytes / 32)))}MB`,
    max_wal_size: '4GB',
    min_wal_size: '256MB',
    checkpoint_timeout: '15min',
    synchronous_commit: durable ? 'on' : 'off',
    fsync: durable ? 'on' : 'off',
    // JIT compiles only very dear plans, and then costs more than it saves here.
    jit: 'off',
    // Refused statements are reported to whoever sent them; logging them too would let outside input fill the disk.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
  }
}
