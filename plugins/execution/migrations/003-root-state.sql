-- What the root chain exports: each value from the root height on that set it; null once it is gone.
CREATE TABLE export (
  key       text COLLATE "C" NOT NULL,
  since     bigint NOT NULL,
  -- CBOR.
  value     bytea,
  PRIMARY KEY (key, since)
);

-- The root chain has a state of its own: cells (in cell, under its realm), exports, messages. It is stored with the block.
ALTER TABLE root_block
  -- The out items in their order, one after the other; they are delivered with the next root block.
  ADD outgoing  bytea NOT NULL DEFAULT '',
  -- Changed cells: CBOR list of [path, record | null].
  ADD delta     bytea NOT NULL DEFAULT '\x80',
  -- What it changed of the exports: CBOR list of [key, value | null].
  ADD exports   bytea NOT NULL DEFAULT '\x80',
  -- Running totals of the root chain after this block, for the supply invariant.
  ADD holdings  numeric NOT NULL DEFAULT 0,
  ADD emitted   numeric NOT NULL DEFAULT 0,
  ADD consumed  numeric NOT NULL DEFAULT 0,
  -- Shards find something in it: what shard blocks or the root block before sent, or exports.
  ADD brings    boolean NOT NULL DEFAULT true;
CREATE INDEX root_block_brings ON root_block (height) WHERE brings;
