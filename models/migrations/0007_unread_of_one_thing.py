"""What somebody has not read about one room or task is found at once, however much else there is."""


def up(migrator, db):
    db.execute_sql(
        "CREATE INDEX notification_about ON notification (person_id, related_entity_id, related_entity_type)"
        " WHERE NOT is_read"
    )
