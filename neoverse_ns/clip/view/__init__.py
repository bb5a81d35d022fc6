"""Pictures that are no plain view of the world: 360-degree video and stereo pairs, found, and cut to a plain view."""
