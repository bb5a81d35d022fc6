"""Pictures of a scene along a trajectory, written one by one: videos, folders of frames, depth, opacity."""
