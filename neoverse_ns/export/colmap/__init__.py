"""COLMAP models of a scene: cameras, and points with where each is seen."""
