-- Outcomes are only ever looked for by their transaction's id: a hash index costs less to add to than a tree.
DROP INDEX outcome_tx;
CREATE INDEX outcome_tx ON outcome USING hash (tx);
