-- Shards that a message stopped which cannot be run to its end: they stay down until the ledger's modules change.
CREATE TABLE halt (
  shard     text COLLATE "C" PRIMARY KEY,
  -- SHA-256 of the modules that were in use.
  modules   bytea NOT NULL,
  -- What stopped it, in words.
  reason    text NOT NULL
);
