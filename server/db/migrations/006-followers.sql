-- How far plugins' jobs have taken in the events that they follow.
CREATE TABLE follower (
  plugin text NOT NULL,
  name text NOT NULL,
  -- Behind the last event that took effect.
  cursor text NOT NULL,
  PRIMARY KEY (plugin, name)
);
