"""A name that no other installation has, for what they share: one Redis, say."""

import secrets


def up(migrator, db):
    db.execute_sql("CREATE TABLE installation (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL)")
    db.execute_sql(f"INSERT INTO installation (id, name) VALUES (1, {db.param})", (secrets.token_hex(8),))
