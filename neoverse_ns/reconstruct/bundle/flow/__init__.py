"""Optical flow and matches between frames."""
