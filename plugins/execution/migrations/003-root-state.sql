-- What the root chain exports: each value from the root height on that set it; null once it is gone.
CREATE TABLE export (
  key       text COLLATE "C" NOT NULL,
  since     bigint NOT NULL,
  -- CBOR.
  value     bytea,
  PRIMARY KEY (key, since)
);
