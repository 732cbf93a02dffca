-- Headers and out items of blocks that a snapshot brought along: shards that had not taken them in need them still.
-- The blocks themselves are not in this database.
CREATE TABLE imported_block (
  shard     text COLLATE "C" NOT NULL,
  height    bigint NOT NULL,
  header    bytea NOT NULL,
  outgoing  bytea NOT NULL,
  PRIMARY KEY (shard, height)
);
