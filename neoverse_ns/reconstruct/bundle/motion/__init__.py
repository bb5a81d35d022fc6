"""What moves on its own, and how far away it is."""
