"""KITTI's drives: with two cameras side by side, and with laser depth."""
