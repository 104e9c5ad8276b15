"""One module per way of keeping backups: its probe and its parser to a `BackupSeries`."""
