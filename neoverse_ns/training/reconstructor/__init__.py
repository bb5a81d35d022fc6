"""Training the feed-forward reconstructor (NeoVerse, section 3.3 and supplement B)."""
