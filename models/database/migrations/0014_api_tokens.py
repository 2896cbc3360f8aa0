"""API tokens, and each person's calendar address: of both only a hash."""

_TABLES = """
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'chat', 'tasks', 'all')),
    begins_with TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_token_person ON api_token (person_id, created_at);
CREATE INDEX api_token_expiry ON api_token (expires_at);
CREATE TABLE calendar_address (
    person_id BIGINT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
)
"""


def up(migrator, db):
    for statement in _TABLES.split(";"):
        db.execute_sql(statement)
