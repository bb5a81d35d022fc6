"""Refined views beside the input path as training views: what is made, from what, and how it counts."""
