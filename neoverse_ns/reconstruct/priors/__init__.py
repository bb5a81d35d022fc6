"""What the user already knows about a clip: camera poses, intrinsics, depth."""
