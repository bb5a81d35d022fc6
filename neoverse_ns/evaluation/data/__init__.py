"""Benchmark data on disk: a file per layout, all read into one table of frames."""
