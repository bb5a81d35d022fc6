"""Refinement by Wan 2.1 with NeoVerse's control branch, on diffusers' building blocks."""
