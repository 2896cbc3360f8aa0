"""What somebody has not read about one room or task is found at once, however much else there is; of what
has no cause, none is kept in order."""


def up(migrator, db):
    db.execute_sql(
        "CREATE INDEX notification_about ON notification (person_id, related_entity_id, related_entity_type)"
        " WHERE NOT is_read"
    )
    db.execute_sql("DROP INDEX notification_cause")
    db.execute_sql(
        "CREATE UNIQUE INDEX notification_cause ON notification (person_id, cause) WHERE cause IS NOT NULL"
    )
