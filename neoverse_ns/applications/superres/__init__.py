"""The clip in more pixels."""

from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.enlarge import Enlarged, enlarge_clip

__all__ = ["Enlarged", "SuperresConfig", "enlarge_clip"]
