-- What was written, for queries: rebuilt from the events if it is lost.
CREATE TABLE entry (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  author     bytea NOT NULL,
  number     int NOT NULL,
  text       text NOT NULL,
  written_at timestamptz NOT NULL,
  UNIQUE (author, number)
);
