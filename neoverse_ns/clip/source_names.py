"""What the image files that a clip was made from are called."""

from __future__ import annotations

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.image_file import IMAGE_SUFFIXES
from neoverse_ns.clip.images import images_in


def source_names(clip: Clip) -> list[str] | None:
    """Stems of the sampled frames' own image files; None for a video, or where the images are gone."""
    if clip.source.is_dir():
        images = images_in(clip.source)
        indices = clip.frame_indices.tolist()
        return [images[i].stem for i in indices] if max(indices) < len(images) else None
    single = len(clip) == 1 and clip.source.suffix.lower() in IMAGE_SUFFIXES
    return [clip.source.stem] if single else None
