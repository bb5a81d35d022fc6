"""The whole clip as one `.4dgs` file: Gaussians that move, fade and exist in windows of time."""
