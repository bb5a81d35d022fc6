"""Where things go between training frames: flow chained through the source's own frames in between."""
