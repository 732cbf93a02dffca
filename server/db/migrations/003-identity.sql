-- Accounts whose signing key the node keeps.
create table custodial_account (
  address bytea primary key check (length(address) = 32),
  -- The wallet that may manage it; null if only its own keys and the operator may.
  owner bytea check (length(owner) = 32),
  name text not null,
  -- The 32 secret bytes, encrypted: nonce (24), then XChaCha20-Poly1305 bound to the address.
  sealed bytea not null,
  -- Which master key sealed it.
  sealed_under text not null,
  created_at timestamptz not null,
  exported_at timestamptz
);
create index on custodial_account (owner, address) where owner is not null;
create index on custodial_account (sealed_under);

create table api_key (
  id text primary key,
  -- SHA-256 of the key, which has 256 random bits.
  hash bytea not null check (length(hash) = 32),
  -- The account that it acts for; null for an operator's.
  account bytea check (length(account) = 32),
  name text not null,
  scopes text[] not null,
  -- Calls that it may sign, like 'market.*'; null: all, or if it is capped only payments.
  calls text[] check (cardinality(calls) between 1 and 32),
  -- The keys that it comes from, the first one first. It is good only as long as they all are.
  ancestors text[] not null check (cardinality(ancestors) <= 4),
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  -- Requests; null for no limit.
  per_second integer check (per_second > 0),
  burst integer check (burst > 0),
  -- Units; null for no cap.
  cap_total numeric(39) check (cap_total >= 0),
  cap_daily numeric(39) check (cap_daily >= 0),
  spent_total numeric(39) not null default 0 check (spent_total >= 0),
  -- On the day (UTC) of spent_on.
  spent_daily numeric(39) not null default 0 check (spent_daily >= 0),
  spent_on date,
  -- The database itself refuses what goes beyond a cap: a transaction that tries cannot be committed.
  constraint within_cap_total check (spent_total <= cap_total),
  constraint within_cap_daily check (spent_daily <= cap_daily)
);
create index on api_key (account, created_at, id);
create index on api_key (created_at, id);
create index on api_key (revoked_at) where revoked_at is not null;
create index on api_key using gin (ancestors);

-- What was counted against a key and may still come back in part: a fee that was lower, a payment that was refused.
create table spending (
  id bigint generated always as identity primary key,
  key_ids text[] not null,
  amount numeric(39) not null check (amount >= 0),
  spent_on date not null,
  created_at timestamptz not null
);

-- Public halves of the keys that nodes sign tokens with. The secret halves never leave their process.
create table session_key (
  id text primary key,
  jwk jsonb not null,
  expires_at timestamptz not null
);

-- Challenges that were answered: each is good for one sign-in.
create table used_challenge (
  id text primary key,
  expires_at timestamptz not null
);
create index on used_challenge (expires_at);

-- Who did what that needs a privilege. No secrets.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  actor text not null,
  account bytea,
  action text not null,
  target text,
  outcome text not null check (outcome in ('DONE', 'REFUSED')),
  code text,
  details jsonb not null default '{}'
);
create index on audit (at);
create index on audit (action, id);
create index on audit (actor, id);
