"""`neoverse-quick`: a fifth of the steps at twice the rates, for a first look."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_quick = MethodSpecification(
    config=trainer_config("neoverse-quick", steps=100, speed=2.0),
    description="NeoVerse with a fifth of the optimisation steps, for a first look.",
)
