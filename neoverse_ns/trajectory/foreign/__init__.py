"""Cameras from files of other programs: read, matched to a clip's frames, and brought into its world."""
