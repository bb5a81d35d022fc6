"""The clip in more pixels: every frame with what its neighbours saw between its own."""
