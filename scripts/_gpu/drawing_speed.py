"""How fast a scene of the usual size is drawn, by the device's own backend and by plain torch."""

from __future__ import annotations

from _benchmark.raster_speed import drawing_speed, pixel_grid_scene

from _gpu.options import Settings
from _gpu.rows import Finding


def measure(settings: Settings) -> Finding:
    """Milliseconds forward, and forward with backward: gsplat (or the kernels for the CPU), then plain torch."""
    count, width, height, repeats = (500, 56, 32, 1) if settings.tiny else (150_000, 560, 336, 7)
    scene = pixel_grid_scene(count, width, height, (0.5, 1.5))
    own = drawing_speed(scene, width, height, "auto", settings.device, repeats)
    plain = drawing_speed(scene, width, height, "torch", settings.device, 1)
    words = [
        f"{row['backend']} {row['forward_best_ms']:.1f} / {row['forward_backward_best_ms']:.1f} ms"
        for row in (own, plain)
    ]
    return Finding(f"forward / with backward: {', '.join(words)}", {"own": own, "plain torch": plain})
