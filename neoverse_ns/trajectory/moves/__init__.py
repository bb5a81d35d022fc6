"""Camera moves that know the scene: orbit, dolly zoom, hand-held, crane, look-at, smoothing."""
