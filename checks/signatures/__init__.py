"""Signatures of files and PDFs, read as pure functions over bytes; whom to trust is asked apart."""
