-- As before, and tells every process how far the stream has come: blocks are written without a notification, and only
-- the process that wrote one knows of it at once.
CREATE OR REPLACE FUNCTION sequence_events(most integer) RETURNS TABLE (head bigint, added integer)
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
    PERFORM pg_notify('core_event_head', (start + placed)::text);
  END IF;
  RETURN QUERY SELECT start + placed, placed;
END
$$;
