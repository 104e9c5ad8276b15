"""Scans kept: SQLite by default, through SQLAlchemy Core. Read `scanner.store.database` first."""
