"""Depth of the keyframes, with the cameras fixed."""
