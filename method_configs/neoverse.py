"""`neoverse`: reconstruct, then refine everything photometrically. The default."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse = MethodSpecification(
    config=trainer_config("neoverse", steps=500),
    description="NeoVerse: a 4D scene from one ordinary video, without camera poses.",
)
