import type { Sql } from '../../../server/plugin.ts'

/** Whoever writes what a step of a split writes has to pass this advisory lock. */
const GATE = 4711
/** The root block at which the newest split of the shard takes effect is there. */
const IS_DUE = `(SELECT max(height) FROM root_block) >= (SELECT max(since) + 3 FROM export WHERE key = 'shard/' || TG_ARGV[0] || '0')`

/** The steps of a split: what each writes, and which of those rows are its own. The argument is the shard. */
export const STEPS = [
  { name: 'scheduled', write: 'INSERT', table: 'export', own: `NEW.key = 'shard/' || TG_ARGV[0] || '0'` },
  { name: 'last block', write: 'INSERT', table: 'block', own: `NEW.shard = TG_ARGV[0] AND ${IS_DUE}` },
  { name: 'folded', write: 'UPDATE', table: 'shard', own: `NEW.id = TG_ARGV[0] AND NEW.split IS NULL AND ${IS_DUE}` },
  { name: 'born', write: 'INSERT', table: 'shard', own: 'NEW.parent = TG_ARGV[0]' },
  { name: 'listed', write: 'INSERT', table: 'root_entry', own: `NEW.shard = TG_ARGV[0] || '0'` },
  { name: 'goes on', write: 'INSERT', table: 'block', own: `NEW.shard LIKE TG_ARGV[0] || '_' AND NEW.tx_count > 0` },
] as const

export type Step = (typeof STEPS)[number]

/** A gate that is closed: what the step writes waits there. */
export interface Gate {
  /** The database's processes that wait there. */
  waiting(): Promise<readonly number[]>
  /** Lets those go on that wait, and takes the gate away. */
  open(): Promise<void>
}

export async function closeGate(sql: Sql, shard: string, { table, write, own }: Step): Promise<Gate> {
  const session = await sql.reserve()
  await session`SELECT pg_advisory_lock(${GATE})`
  await sql.unsafe(`
    CREATE OR REPLACE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF ${own} THEN PERFORM pg_advisory_xact_lock_shared(${GATE}); END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER gate BEFORE ${write} ON ${table} FOR EACH ROW EXECUTE FUNCTION gate('${shard}')`)
  return {
    async waiting() {
      const rows = await sql<{ pid: number }[]>`
        SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${GATE} AND NOT granted`
      return rows.map(({ pid }) => pid)
    },
    async open() {
      await session`SELECT pg_advisory_unlock(${GATE})`
      session.release()
      await sql.unsafe(`DROP TRIGGER gate ON ${table}`)
    },
  }
}
