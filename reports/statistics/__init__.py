"""Statistics that a unit reports upwards: counts of documents by partner and kind, no document."""
