"""Folders of clips as this package's own benchmark has them, and the synthetic clips."""
