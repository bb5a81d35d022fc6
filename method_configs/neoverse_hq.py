"""`neoverse-hq`: the default's steps at twice the rates; more steps fit training frames better and others worse."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_hq = MethodSpecification(
    config=trainer_config("neoverse-hq", steps=500, speed=2.0),
    description="NeoVerse refined at twice the rates: closer to the frames.",
)
