"""`neoverse-clip`: the dataparser by itself, so that other methods can train on an ordinary video."""

from nerfstudio.plugins.registry_dataparser import DataParserSpecification

from neoverse_ns.plugin.dataparser import NeoVerseDataParserConfig

neoverse_clip = DataParserSpecification(
    config=NeoVerseDataParserConfig(), description="An ordinary video: cameras are estimated, no COLMAP."
)
