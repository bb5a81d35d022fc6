"""Measuring under named protocols: which frames are given and judged, how cameras are placed, and by which metrics."""
