"""Training of networks on many clips."""
