"""Backup: every tool's listing becomes one `BackupSeries`; all checks here judge that."""
