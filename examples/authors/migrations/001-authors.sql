-- How much each author has written, taken from journal's events.
CREATE TABLE author (
  address bytea PRIMARY KEY,
  entries int NOT NULL,
  since   timestamptz NOT NULL
);
