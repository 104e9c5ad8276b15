"""Probes and facts that two topics or more share, and the checks of the host itself."""
