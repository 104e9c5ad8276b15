"""Scans kept: SQLite by default, through SQLAlchemy Core. See `scanner.store.database`."""
