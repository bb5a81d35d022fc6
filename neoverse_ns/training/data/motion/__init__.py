"""Displacements of surfaces between frames, from whatever a data set has: poses of things, tracks, flow."""
