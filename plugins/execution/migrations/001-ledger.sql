-- What the network is: one row.
CREATE TABLE genesis (
  single    boolean PRIMARY KEY DEFAULT true CHECK (single),
  network   bytea NOT NULL,
  document  bytea NOT NULL
);

CREATE TABLE shard (
  id        text COLLATE "C" PRIMARY KEY,
  realm     bigint NOT NULL,
  prefix    text NOT NULL,
  parent    text,
  -- Cell rows are as of this height; later changes are in block.delta until they are folded in.
  folded    bigint NOT NULL DEFAULT 0
);

CREATE TABLE root_block (
  height    bigint PRIMARY KEY,
  hash      bytea NOT NULL,
  header    bytea NOT NULL,
  votes     bytea NOT NULL,
  -- CBOR list of [shard, height, header hash].
  entries   bytea NOT NULL,
  time      timestamptz NOT NULL
);

-- Which root block committed a shard block.
CREATE TABLE root_entry (
  shard     text COLLATE "C" NOT NULL,
  height    bigint NOT NULL,
  root      bigint NOT NULL,
  PRIMARY KEY (shard, height)
);
CREATE INDEX root_entry_root ON root_entry (root);

CREATE TABLE block (
  shard     text COLLATE "C" NOT NULL,
  height    bigint NOT NULL,
  hash      bytea NOT NULL,
  header    bytea NOT NULL,
  -- CBOR list of the transactions.
  body      bytea NOT NULL,
  -- The receipts, one after the other: CBOR [id, statuses, fee, errors] each; the leaves of txRoot.
  receipts  bytea NOT NULL,
  -- The out items in their order, one after the other; the leaves of outRoot.
  outgoing  bytea NOT NULL,
  -- Changed cells: CBOR list of [path, record | null].
  delta     bytea NOT NULL,
  tx_count  integer NOT NULL,
  time      timestamptz NOT NULL,
  -- Running totals of the shard after this block, for the supply invariant.
  holdings  numeric NOT NULL,
  emitted   numeric NOT NULL,
  consumed  numeric NOT NULL,
  PRIMARY KEY (shard, height)
);
CREATE INDEX block_hash ON block (hash);
CREATE INDEX block_time ON block (time, shard, height);
-- Transactions are read out of bodies by offset: uncompressed, only their pages are read. The rest is mostly hashes and
-- signatures: compressing it would cost a tenth of all CPU and save little.
ALTER TABLE block
  ALTER body SET STORAGE EXTERNAL,
  ALTER receipts SET STORAGE EXTERNAL,
  ALTER outgoing SET STORAGE EXTERNAL,
  ALTER delta SET STORAGE EXTERNAL;

CREATE TABLE tx (
  id        bytea NOT NULL,
  sender    bytea NOT NULL,
  shard     text COLLATE "C" NOT NULL,
  height    bigint NOT NULL,
  index     integer NOT NULL,
  -- Where in block.body and block.receipts it begins, in bytes.
  body_at   integer NOT NULL,
  receipt_at integer NOT NULL,
  -- An action was refused in its first block.
  refused   boolean NOT NULL,
  -- How many messages its first block sent to other shards.
  remote    integer NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX tx_sender ON tx (sender, shard, height, index);
CREATE INDEX tx_place ON tx (shard, height, index);

-- What became of a transaction's messages in other blocks than its own.
CREATE TABLE outcome (
  tx        bytea NOT NULL,
  shard     text COLLATE "C" NOT NULL,
  height    bigint NOT NULL,
  -- Messages sent on, less messages done. A transaction is final when tx.remote + sum(delta) = 0.
  delta     integer NOT NULL,
  refused   boolean NOT NULL,
  -- CBOR list of [action, kind, status, code, message].
  detail    bytea NOT NULL
);
CREATE INDEX outcome_tx ON outcome (tx);

CREATE TABLE cell (
  realm     bigint NOT NULL,
  path      bytea NOT NULL,
  -- CBOR [id, owner, balance, value].
  record    bytea NOT NULL,
  PRIMARY KEY (realm, path)
);

-- Inbound messages that did not fit into the block that consumed their root block.
CREATE TABLE deferred (
  shard     text COLLATE "C" NOT NULL,
  -- Destination path and the arrival number, 40 bytes.
  key       bytea NOT NULL,
  message   bytea NOT NULL,
  PRIMARY KEY (shard, key)
);
