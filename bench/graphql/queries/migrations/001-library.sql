CREATE TABLE author (
  id integer PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE book (
  id integer PRIMARY KEY,
  title text NOT NULL,
  words integer NOT NULL,
  published boolean NOT NULL,
  time timestamptz NOT NULL,
  author integer NOT NULL REFERENCES author
);

INSERT INTO author SELECT n, 'Author ' || n FROM generate_series(0, 199) AS n;
INSERT INTO book
  SELECT n, 'Title ' || n, n * 7, n % 2 = 0, timestamptz '2026-01-01' + n * interval '1 minute', n % 200
  FROM generate_series(0, 9999) AS n;
