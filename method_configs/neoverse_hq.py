"""`neoverse-hq`: finer frames, twice the steps at twice the rates; for results to keep."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_hq = MethodSpecification(
    config=trainer_config("neoverse-hq", steps=1000, speed=2.0, width=560),
    description="NeoVerse on frames 560 pixels wide, with twice the refinement steps.",
)
