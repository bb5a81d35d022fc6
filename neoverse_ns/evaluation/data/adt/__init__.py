"""Aria Digital Twin, rectified or as it was recorded."""
