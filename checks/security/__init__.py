"""Security levels: every way to record a level becomes one `LevelRecord`; all checks judge that."""
