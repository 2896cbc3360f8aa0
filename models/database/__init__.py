"""The database: the store that everybody asks, its threads, and what SQLite and PostgreSQL do differently."""
