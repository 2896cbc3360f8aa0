"""When the last backup was made, when one was last due, and when one failed."""


def up(migrator, db):
    for name in ("backed_up_at", "backup_begun_at", "backup_failed_at"):
        db.execute_sql(f"ALTER TABLE installation ADD COLUMN {name} BIGINT")
