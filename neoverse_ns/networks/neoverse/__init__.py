"""NeoVerse's feed-forward network: trunk, motion branch, heads, and what makes Gaussians of its predictions."""
