"""The clip without what moves."""

from neoverse_ns.applications.background.config import BackgroundConfig
from neoverse_ns.applications.background.extract import Background, extract_background

__all__ = ["Background", "BackgroundConfig", "extract_background"]
