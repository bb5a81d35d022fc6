"""`neoverse-hq`: four times the refinement, for the final result."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_hq = MethodSpecification(
    config=trainer_config("neoverse-hq", steps=2000),
    description="NeoVerse with four times the refinement, for the final result.",
)
