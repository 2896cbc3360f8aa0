"""A second factor: each person's secret, and the hashes of their recovery codes."""

_TABLES = """
CREATE TABLE second_factor (
    person_id BIGINT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE recovery_code (
    digest TEXT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES person (id) ON DELETE CASCADE
);
CREATE INDEX recovery_code_person ON recovery_code (person_id)
"""


def up(migrator, db):
    for statement in _TABLES.split(";"):
        db.execute_sql(statement)
