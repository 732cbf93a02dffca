-- Where shards live that were split off from none, decided when they are born; what is split off lives with its parent.
CREATE TABLE shard_home (
  shard     text COLLATE "C" PRIMARY KEY,
  -- The name of a shard host; null: in this database.
  host      text
);
INSERT INTO shard_home (shard) SELECT id FROM shard;

-- Up to which height the events of a shard that lives elsewhere are in this database's stream.
CREATE TABLE event_relay (
  shard     text COLLATE "C" PRIMARY KEY,
  height    bigint NOT NULL
);

-- Only in the database of a shard host: whom it worked for last.
CREATE TABLE shard_host (
  single    boolean PRIMARY KEY DEFAULT true CHECK (single),
  -- Fence of the newest leader of the network that came.
  leader    bigint NOT NULL
);

-- Lets a leader of the network, by its fence there, take office in the database of a shard host. Gives the fence that
-- writes here are held to from then on: it grows each time, even for the same leader, because what an earlier connection
-- of it has begun must not go on. When it returns, every earlier write is either committed or will be refused.
CREATE FUNCTION take_host_office(lease_name text, leader_fence bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  newest bigint;
  taken bigint;
BEGIN
  PERFORM set_config('lock_timeout', '1s', true);
  BEGIN
    PERFORM pg_advisory_xact_lock(1684365673, core.lease_lock(lease_name));
  EXCEPTION WHEN lock_not_available THEN
    PERFORM core.end_lease_sessions(lease_name);
    PERFORM pg_advisory_xact_lock(1684365673, core.lease_lock(lease_name));
  END;
  SELECT leader INTO newest FROM shard_host;
  IF newest > leader_fence THEN
    RAISE EXCEPTION '% has a newer leader: its fence is %, not %', lease_name, newest, leader_fence
      USING ERRCODE = 'DF001';
  END IF;
  INSERT INTO shard_host (leader) VALUES (leader_fence)
  ON CONFLICT (single) DO UPDATE SET leader = excluded.leader;
  INSERT INTO core.lease AS held (name, fence, expires_at, acquired_at)
  VALUES (lease_name, 1, clock_timestamp(), clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET fence = held.fence + 1, acquired_at = excluded.acquired_at
  RETURNING held.fence INTO taken;
  RETURN taken;
END
$$;
