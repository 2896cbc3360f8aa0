"""Tasks with what belongs to them, workspaces as far as tasks need them, rooms and files of tasks."""

import peewee

# `assignees`, `attachments` and `proposals` repeat in JSON what their own tables hold, so that a list
# of tasks is one statement; `words` is the text as the search sees it (models.tasks.words).
TABLES = """
CREATE TABLE workspace (
    id {id},
    name TEXT NOT NULL
);
CREATE TABLE workspace_member (
    workspace_id BIGINT NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    person_id BIGINT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    PRIMARY KEY (workspace_id, person_id)
);
CREATE INDEX workspace_member_person ON workspace_member (person_id, workspace_id);
CREATE TABLE task (
    id {id},
    uuid TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('todo', 'in_progress', 'review', 'blocked', 'done', 'cancelled')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 4),
    due_date BIGINT,
    estimate BIGINT,
    creator_id BIGINT NOT NULL REFERENCES person (id),
    assigned_by_id BIGINT REFERENCES person (id),
    department_id BIGINT REFERENCES department (id) ON DELETE SET NULL,
    workspace_id BIGINT REFERENCES workspace (id) ON DELETE SET NULL,
    completed_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    comment_count INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    assignees TEXT NOT NULL DEFAULT '[]',
    attachments TEXT NOT NULL DEFAULT '[]',
    proposals TEXT NOT NULL DEFAULT '[]',
    words TEXT NOT NULL DEFAULT ''
);
CREATE INDEX task_status ON task (status, id) WHERE deleted_at IS NULL;
CREATE INDEX task_priority ON task (priority, id) WHERE deleted_at IS NULL;
CREATE INDEX task_updated ON task (updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX task_due ON task (COALESCE(due_date, 9223372036854775807), id)
    WHERE deleted_at IS NULL;
CREATE INDEX task_completed ON task (completed_at) WHERE deleted_at IS NULL AND completed_at IS NOT NULL;
CREATE INDEX task_department ON task (department_id, id)
    WHERE deleted_at IS NULL AND department_id IS NOT NULL;
CREATE INDEX task_department_status ON task (department_id, status, id)
    WHERE deleted_at IS NULL AND department_id IS NOT NULL;
CREATE INDEX task_workspace ON task (workspace_id, id)
    WHERE deleted_at IS NULL AND workspace_id IS NOT NULL;
CREATE INDEX task_workspace_status ON task (workspace_id, status, id)
    WHERE deleted_at IS NULL AND workspace_id IS NOT NULL;
CREATE TABLE task_assignee (
    task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    person_id BIGINT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    PRIMARY KEY (person_id, task_id)
) {rowless};
CREATE INDEX task_assignee_task ON task_assignee (task_id);
CREATE TABLE task_viewer (
    viewer BIGINT NOT NULL,
    task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    PRIMARY KEY (viewer, task_id)
) {rowless};
CREATE INDEX task_viewer_status ON task_viewer (viewer, status, task_id);
CREATE INDEX task_viewer_task ON task_viewer (task_id);
CREATE TABLE task_count (
    viewer BIGINT NOT NULL,
    department_id BIGINT NOT NULL,
    workspace_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (viewer, department_id, workspace_id, status, priority)
) {rowless};
CREATE TABLE task_history (
    id {id},
    task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    person_id BIGINT NOT NULL REFERENCES person (id),
    action TEXT NOT NULL,
    field TEXT,
    old_value TEXT,
    new_value TEXT,
    reason TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE INDEX task_history_task ON task_history (task_id, id);
CREATE TABLE task_assignment (
    id {id},
    task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    assigned_to_id BIGINT NOT NULL REFERENCES person (id),
    assigned_by_id BIGINT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX task_assignment_task ON task_assignment (task_id);
CREATE INDEX task_assignment_to ON task_assignment (assigned_to_id, id);
CREATE INDEX task_assignment_by ON task_assignment (assigned_by_id, id);
CREATE TABLE task_proposal (
    id {id},
    task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    person_id BIGINT NOT NULL REFERENCES person (id),
    proposed_by_id BIGINT NOT NULL REFERENCES person (id),
    status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'rejected', 'withdrawn')),
    reason TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    answered_at BIGINT
);
CREATE INDEX task_proposal_task ON task_proposal (task_id, id);
CREATE INDEX task_proposal_person ON task_proposal (person_id, id);
CREATE UNIQUE INDEX task_proposal_pending ON task_proposal (task_id, person_id) WHERE status = 'pending';
CREATE TABLE task_comment (
    id {id},
    task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES person (id),
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX task_comment_task ON task_comment (task_id, id);
ALTER TABLE attachment ADD COLUMN task_id BIGINT REFERENCES task (id) ON DELETE CASCADE;
CREATE INDEX attachment_task ON attachment (task_id) WHERE task_id IS NOT NULL;
ALTER TABLE room ADD COLUMN task_id BIGINT REFERENCES task (id);
CREATE UNIQUE INDEX room_task ON room (task_id) WHERE task_id IS NOT NULL
"""
# The counts are kept by the database itself: nothing that changes a task, a foreign key's action
# included, can forget them. Viewer 0 is everybody who sees all.
COUNT = """
INSERT INTO task_count (viewer, department_id, workspace_id, status, priority, n)
SELECT k.viewer, COALESCE(t.department_id, 0), COALESCE(t.workspace_id, 0), t.status, t.priority, 1
FROM {viewers} CROSS JOIN task t WHERE t.id = {task} AND t.deleted_at IS NULL
ON CONFLICT (viewer, department_id, workspace_id, status, priority) DO UPDATE SET n = task_count.n + 1;
"""
UNCOUNT_VIEWER = """
UPDATE task_count SET n = n - 1 FROM task t
WHERE t.id = OLD.task_id AND t.deleted_at IS NULL AND task_count.viewer = OLD.viewer
    AND task_count.department_id = COALESCE(t.department_id, 0)
    AND task_count.workspace_id = COALESCE(t.workspace_id, 0)
    AND task_count.status = t.status AND task_count.priority = t.priority;
"""
RECOUNT = (
    """
UPDATE task_count SET n = n - 1
WHERE OLD.deleted_at IS NULL
    AND viewer IN (SELECT 0 UNION ALL SELECT v.viewer FROM task_viewer v WHERE v.task_id = OLD.id)
    AND department_id = COALESCE(OLD.department_id, 0) AND workspace_id = COALESCE(OLD.workspace_id, 0)
    AND status = OLD.status AND priority = OLD.priority;
"""
    + COUNT.format(
        viewers="(SELECT 0 AS viewer UNION ALL SELECT viewer FROM task_viewer WHERE task_id = NEW.id) k",
        task="NEW.id",
    )
    + "UPDATE task_viewer SET status = NEW.status WHERE task_id = NEW.id AND status <> NEW.status;"
)
TRIGGERS = {
    "task_counted": ("INSERT ON task", COUNT.format(viewers="(SELECT 0 AS viewer) k", task="NEW.id")),
    "task_recounted": (
        "UPDATE OF status, priority, department_id, workspace_id, deleted_at ON task",
        RECOUNT,
    ),
    "task_viewer_counted": (
        "INSERT ON task_viewer",
        COUNT.format(viewers="(SELECT NEW.viewer AS viewer) k", task="NEW.task_id"),
    ),
    "task_viewer_uncounted": ("DELETE ON task_viewer", UNCOUNT_VIEWER),
}
# The words are made by us, alike for both databases: their own ideas of a word would differ.
SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE task_search USING fts5 (
        words, content = 'task', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 0")""",
    """CREATE TRIGGER task_searched AFTER INSERT ON task FOR EACH ROW BEGIN
        INSERT INTO task_search (rowid, words) VALUES (NEW.id, NEW.words); END""",
    """CREATE TRIGGER task_researched AFTER UPDATE OF words ON task FOR EACH ROW BEGIN
        INSERT INTO task_search (task_search, rowid, words) VALUES ('delete', OLD.id, OLD.words);
        INSERT INTO task_search (rowid, words) VALUES (NEW.id, NEW.words); END""",
)
POSTGRES_SEARCH = (
    """ALTER TABLE task ADD COLUMN search tsvector
        GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED""",
    "CREATE INDEX task_search ON task USING gin (search)",
)


def up(migrator, db):
    sqlite = isinstance(db, peewee.SqliteDatabase)
    words = {
        "id": "INTEGER PRIMARY KEY AUTOINCREMENT"
        if sqlite
        else "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        "rowless": "WITHOUT ROWID" if sqlite else "",
    }
    for statement in TABLES.format(**words).split(";"):
        db.execute_sql(statement)
    for name, (moment, body) in TRIGGERS.items():
        if sqlite:
            db.execute_sql(f"CREATE TRIGGER {name} AFTER {moment} FOR EACH ROW BEGIN {body} END")
        else:
            db.execute_sql(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {body} RETURN NULL; END $$"
            )
            db.execute_sql(f"CREATE TRIGGER {name} AFTER {moment} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for statement in SQLITE_SEARCH if sqlite else POSTGRES_SEARCH:
        db.execute_sql(statement)
