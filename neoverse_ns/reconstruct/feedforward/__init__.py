"""NeoVerse's feed-forward reconstructor: a transformer from unposed frames to cameras, depth, motion and Gaussians."""
