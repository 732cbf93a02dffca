-- Events, in batches: one row for all events of one writing transaction.
CREATE TABLE event_batch (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Its place in the stream: given by the one sequencer after the row was committed, consecutive from 1.
  seq     bigint UNIQUE,
  time    timestamptz NOT NULL DEFAULT now(),
  shard   text,
  height  bigint,
  -- Every topic that the body holds, each once.
  topics  text[] NOT NULL,
  -- How many events the body holds.
  count   integer NOT NULL CHECK (count > 0),
  -- Canonical CBOR [[topic, payload], ...].
  body    bytea NOT NULL
);
-- Written on the path of every block: compressing would cost more than it saves.
ALTER TABLE event_batch ALTER body SET STORAGE EXTERNAL;
CREATE INDEX event_batch_waiting ON event_batch (id) WHERE seq IS NULL;
CREATE INDEX event_batch_topics ON event_batch USING gin (topics);
CREATE INDEX event_batch_time ON event_batch (time);
-- What one block caused, for whoever looks at the block.
CREATE INDEX event_batch_block ON event_batch (shard, height) WHERE shard IS NOT NULL;

-- The stream's last place. Its row lock makes the sequencer one, however many processes there are.
CREATE TABLE event_head (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq     bigint NOT NULL DEFAULT 0
);
INSERT INTO event_head DEFAULT VALUES;

-- Events of the topic up to and including this place may be gone.
CREATE TABLE event_pruned (
  topic   text COLLATE "C" PRIMARY KEY,
  seq     bigint NOT NULL
);

-- Gives up to `most` committed batches their place. A batch that commits later gets a later place, whatever its id:
-- that is why a reader who has seen place n never misses one before it.
CREATE FUNCTION sequence_events(most integer) RETURNS TABLE (head bigint, added integer)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  start bigint;
  placed integer;
BEGIN
  SELECT seq INTO STRICT start FROM event_head FOR UPDATE;
  -- A statement of its own: its snapshot is taken after the lock, so it sees all that the sequencer before it did.
  UPDATE event_batch AS batch SET seq = start + next.place
  FROM (
    SELECT waiting.id, row_number() OVER (ORDER BY waiting.id) AS place
    FROM (SELECT id FROM event_batch WHERE seq IS NULL ORDER BY id LIMIT most) AS waiting
  ) AS next
  WHERE batch.id = next.id;
  GET DIAGNOSTICS placed = ROW_COUNT;
  IF placed > 0 THEN
    UPDATE event_head SET seq = start + placed;
  END IF;
  RETURN QUERY SELECT start + placed, placed;
END
$$;
