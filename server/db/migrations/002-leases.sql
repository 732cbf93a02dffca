-- The processes that share this database, and where each answers the others.
CREATE TABLE node (
  id        uuid PRIMARY KEY,
  -- Null until it answers others, like ws://127.0.0.1:40123/peer.
  url       text,
  -- What a caller must show to it; new at each start.
  secret    text,
  version   text NOT NULL,
  seen_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who leads what. Only the database's clock decides what has expired.
CREATE TABLE lease (
  -- <plugin>/<job>
  name        text COLLATE "C" PRIMARY KEY,
  -- Null: released.
  holder      uuid,
  -- Grows each time that somebody takes the lease, and never otherwise.
  fence       bigint NOT NULL,
  expires_at  timestamptz NOT NULL,
  acquired_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- A lease's advisory lock, beside the class 'deai'. Whoever writes as a leader shares it; taking over excludes them.
CREATE FUNCTION lease_lock(lease_name text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT hashtext(lease_name) $$;

-- Ends the sessions that still share a lease's lock: the process before is stopped in the middle of a transaction.
CREATE FUNCTION end_lease_sessions(lease_name text) RETURNS void
LANGUAGE sql VOLATILE AS $$
  SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock' AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = 1684365673::oid AND objid = (core.lease_lock(lease_name)::bigint & 4294967295)::oid AND objsubid = 2
$$;

-- Takes a lease that is free, expired, or the candidate's own from an earlier life. Gives its fence; null if another
-- holds it. When it returns, every write of the leader before is either committed or will be refused.
CREATE FUNCTION acquire_lease(lease_name text, candidate uuid, ttl interval) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken bigint;
BEGIN
  PERFORM 1 FROM core.lease
  WHERE name = lease_name AND holder <> candidate AND expires_at > clock_timestamp();
  IF FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('lock_timeout', '1s', true);
  BEGIN
    PERFORM pg_advisory_xact_lock(1684365673, core.lease_lock(lease_name));
  EXCEPTION WHEN lock_not_available THEN
    PERFORM 1 FROM core.lease
    WHERE name = lease_name AND holder <> candidate AND expires_at > clock_timestamp();
    IF FOUND THEN
      RETURN NULL;
    END IF;
    PERFORM core.end_lease_sessions(lease_name);
    PERFORM pg_advisory_xact_lock(1684365673, core.lease_lock(lease_name));
  END;
  INSERT INTO core.lease AS held (name, holder, fence, expires_at, acquired_at)
  VALUES (lease_name, candidate, 1, clock_timestamp() + ttl, clock_timestamp())
  ON CONFLICT (name) DO UPDATE
    SET holder = candidate, fence = held.fence + 1, expires_at = clock_timestamp() + ttl, acquired_at = clock_timestamp()
    WHERE held.holder IS NULL OR held.holder = candidate OR held.expires_at <= clock_timestamp()
  RETURNING held.fence INTO taken;
  IF taken IS NOT NULL THEN
    PERFORM pg_notify('core_lease', lease_name);
  END IF;
  RETURN taken;
END
$$;

-- Holds a leader's transaction to its fence: there is no newer leader now, and there will be none before it commits.
-- VOLATILE matters: the fence is read with a snapshot taken after the lock was granted.
CREATE FUNCTION check_fence(lease_name text, lease_fence bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  newest bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a fence is checked in READ COMMITTED only: other levels would read an old one'
      USING ERRCODE = 'DF002';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(1684365673, core.lease_lock(lease_name));
  SELECT fence INTO newest FROM core.lease WHERE name = lease_name;
  IF newest IS DISTINCT FROM lease_fence THEN
    RAISE EXCEPTION '% has a newer leader: its fence is %, not %', lease_name, newest, lease_fence
      USING ERRCODE = 'DF001';
  END IF;
  RETURN true;
END
$$;
