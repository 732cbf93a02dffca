-- What the node signed for its custodial accounts, by the name that the client gave it: so that a repeated request is
-- the same transaction, whichever node and whenever it reaches.
CREATE TABLE custodial_send (
  account         bytea NOT NULL,
  idempotency_key text NOT NULL,
  -- SHA-256 of what was asked for.
  request         bytea NOT NULL,
  -- Of the transaction, and its signed bytes.
  id              bytea NOT NULL,
  wire            bytea NOT NULL,
  nonce           bigint NOT NULL,
  valid_until     bigint NOT NULL,
  -- What was counted against the API key.
  spending        bigint NOT NULL,
  -- Submissions that have not been answered yet; one that a crash cut off stays.
  submitting      integer NOT NULL,
  -- The ledger took it, or nobody knows whether it did.
  may_be_in       boolean NOT NULL DEFAULT false,
  -- Why the ledger did not take it; it is not submitted again then.
  refusal_code    text,
  refusal_message text,
  -- Nothing more can come of it, and what it did not spend was given back.
  settled         boolean NOT NULL DEFAULT false,
  created_at      timestamptz NOT NULL,
  PRIMARY KEY (account, idempotency_key)
);
-- Two names are two transactions: one that was refused may come again under another name, and no other.
CREATE UNIQUE INDEX custodial_send_id ON custodial_send (id) WHERE refusal_code IS NULL;
CREATE INDEX custodial_send_open ON custodial_send (account, nonce) WHERE NOT settled;
CREATE INDEX custodial_send_old ON custodial_send (account, created_at);

-- The nonce behind the last one of an account's sends that is known to be used.
CREATE TABLE custodial_nonce (
  account         bytea PRIMARY KEY,
  next            bigint NOT NULL
);
