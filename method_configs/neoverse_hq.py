"""`neoverse-hq`: twice the refinement at twice the rates, for the final result."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_hq = MethodSpecification(
    config=trainer_config("neoverse-hq", steps=1000, speed=2.0),
    description="NeoVerse with twice the refinement at twice the rates, for the final result.",
)
