"""Scenes and cameras as files for other programs."""
