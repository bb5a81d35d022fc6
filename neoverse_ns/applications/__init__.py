"""What people do with a 4D scene: every application takes an open scene and gives back a video, a scene or numbers."""
