"""`neoverse-hq`: finer frames, twice the steps at twice the rates, refined views; for results to keep."""

from nerfstudio.plugins.types import MethodSpecification

from .shared import trainer_config

neoverse_hq = MethodSpecification(
    config=trainer_config("neoverse-hq", steps=1000, speed=2.0, width=560, refiner="internal"),
    description="NeoVerse on frames 560 pixels wide, with twice the steps, and refined views beside the path.",
)
