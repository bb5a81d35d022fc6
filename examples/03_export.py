"""The scene as files for other programs.

python examples/03_export.py clip.mp4 out/                      # without a clip a synthetic one is made
"""

from _arguments import arguments

from neoverse_ns import export, optimise, reconstruct
from neoverse_ns.errors import PackageError
from neoverse_ns.export.registry import FORMATS

options = arguments(__doc__)
scene = optimise(reconstruct(options.clip), steps=options.steps)

for name, form in FORMATS.items():
    try:
        files = export(scene, options.folder / name, name)
    except PackageError as error:  # a format whose own package is not installed
        print(error)
        continue
    size = sum(file.stat().st_size for file in (options.folder / name).rglob("*") if file.is_file())
    print(f"{name}: {', '.join(file.name for file in files[:3])}, {size / 1e6:.1f} MB ({form.meaning})")
