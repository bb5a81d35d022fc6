"""`neoverse-feedforward`: the reconstruction as it comes, nothing optimised."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_feedforward = MethodSpecification(
    config=trainer_config("neoverse-feedforward", steps=0),
    description="NeoVerse without photometric optimisation: the reconstruction as it comes.",
)
