"""Points of a clip followed in 3D: where they are, where they are seen, and when they are hidden."""
