-- The root height of the snapshot that this database began with: one row, or none if it has everything from genesis.
CREATE TABLE imported (
  single    boolean PRIMARY KEY DEFAULT true CHECK (single),
  height    bigint NOT NULL
);

-- What the snapshot said of cells and waiting messages, as it came: the tables cell and deferred go on from there, and
-- whoever verifies must begin where they began.
CREATE TABLE imported_state (
  -- A shard's id, or root.
  shard     text COLLATE "C" NOT NULL,
  number    integer NOT NULL,
  -- What the section is called in a snapshot: root-cells, cells or deferred.
  name      text NOT NULL,
  section   bytea NOT NULL,
  PRIMARY KEY (shard, number)
);
