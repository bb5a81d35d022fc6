"""What nerfstudio's `nerfstudio/configs/external_methods.py` would get: all that follows the import."""

from nerfstudio.configs.external_methods import ExternalMethod, external_methods

# NeoVerse
external_methods.append(
    ExternalMethod(
        """[bold yellow]NeoVerse[/bold yellow]
For more information visit: https://docs.nerf.studio/nerfology/methods/neoverse.html

To enable NeoVerse, you must install it first by running:
  [grey]pip install neoverse-ns[/grey]""",
        configurations=[
            ("neoverse", "NeoVerse: a 4D scene from one ordinary video, without camera poses."),
            ("neoverse-quick", "NeoVerse with a fifth of the optimisation steps, for a first look."),
            (
                "neoverse-hq",
                "NeoVerse on frames 560 pixels wide, with twice the steps, and refined views beside the path.",
            ),
            (
                "neoverse-feedforward",
                "NeoVerse without photometric optimisation: the reconstruction as it comes.",
            ),
        ],
        pip_package="neoverse-ns",
    )
)
