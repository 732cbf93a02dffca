-- Proof that the shard was split into its two children: CBOR as protocol/split.ts describes it. Null while it lives.
ALTER TABLE shard ADD split bytea;
