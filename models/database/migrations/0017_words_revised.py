"""What is edited while it is put into the index of words is noted, so that none of its old words stay.

The index is filled while others write. `task_id` is null for a message; `words` is a JSON list.
"""

REVISED = "CREATE TABLE search_revised (task_id BIGINT, id BIGINT NOT NULL, words TEXT NOT NULL)"


def up(migrator, db):
    db.execute_sql(REVISED)
