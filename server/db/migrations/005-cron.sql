-- When each cron job is due next. The node that moves `due_at` on, and no other, puts the run in.
CREATE TABLE cron_job (
  plugin     text NOT NULL,
  name       text NOT NULL,
  schedule   text NOT NULL,
  due_at     timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (plugin, name)
);
