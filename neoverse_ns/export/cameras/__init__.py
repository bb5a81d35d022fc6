"""A moving camera in the formats of other programs."""
