"""Refinement by Wan 2.1 with NeoVerse's control branch (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import MemoryShortageError, RefinementError
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, ConditionSource, StreamingRefiner
from neoverse_ns.generate.conditions.depth import normalise_depth
from neoverse_ns.generate.refiners.wan.branch_world import in_branch_world
from neoverse_ns.generate.refiners.wan.components import WanComponents, architecture_of, load_components
from neoverse_ns.generate.refiners.wan.config import WanConfig
from neoverse_ns.generate.refiners.wan.files import WanFiles, find_wan_files
from neoverse_ns.generate.refiners.wan.latents import decode_latents, encode_conditions
from neoverse_ns.generate.refiners.wan.memory import ClipSize, Plan, choose_plan, free_memory, model_size
from neoverse_ns.generate.refiners.wan.padding import pad_conditions, padded_count, padded_side
from neoverse_ns.generate.refiners.wan.residency import Residency
from neoverse_ns.generate.refiners.wan.sampler import sample_latents
from neoverse_ns.generate.refiners.wan.sliding_windows import Window, cross_fade, plan_windows
from neoverse_ns.generate.refiners.wan.text import encode_prompt
from neoverse_ns.generate.source_scene import SourceScene

DISTILLED_STEPS, FULL_STEPS = 4, 50
DISTILLED_GUIDANCE, FULL_GUIDANCE = 1.0, 5.0


class WanRefiner(StreamingRefiner):
    """Repaints what the Gaussians do not show with a video diffusion model, the rest guided by what they do.

    Weights are found, checked against the memory there is, and loaded by the first call of :meth:`refine`; later calls
    keep them. :meth:`release` gives the memory back.
    """

    def __init__(self, config: WanConfig | None = None) -> None:
        """Check the settings and the libraries.

        Raises:
            SettingsError: A setting is out of range.
            RefinementError: A library is missing, or there is no such device.
        """
        self.config = config or WanConfig()
        self.config.validate()
        _require_libraries()
        self._device = _device_of(self.config.device)
        self._dtype = _dtype_of(self.config.dtype, self._device)
        self._files: WanFiles | None = None
        self._plan: Plan | None = None
        self._components: WanComponents | None = None
        self._residency: Residency | None = None
        self._texts: dict[str, Tensor] = {}
        self._unit = self.config.unit or 1.0

    def check(self) -> None:
        """Find the weights, fetching what may be downloaded.

        Raises:
            WeightsError: They are not there.
        """
        self._files = self._files or find_wan_files(self.config, self.config.lora)

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        """Take over the unit of the scene's cameras, unless the settings give one; nothing is learned."""
        self._unit = self.config.unit or source.unit or 1.0

    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[Float[Tensor, "k h w 3"]]:  # RGB in [0, 1], on the CPU
        """Finish the frames window by window; see :meth:`neoverse_ns.generate.base.Refiner.stream`.

        Raises:
            RefinementError: The conditions or the result hold values that are not finite.
            MemoryShortageError: The model does not fit; the message says what would.
            WeightsError: Weights are missing, damaged or of another model.
        """
        config = self.config
        windows = plan_windows(len(conditions), config.window, config.overlap)
        # What is damaged shall show before gigabytes are loaded; it is likely to be damaged from the start.
        given = _checked(conditions, windows[0])
        size = ClipSize(padded_count(len(windows[0])), padded_side(conditions.height), padded_side(conditions.width))
        components, residency = self._ready(size)
        steps, guidance = self._sampling(components)
        text = self._embed(prompt)
        negative = self._embed(config.negative_prompt) if guidance != 1.0 else None
        noise = torch.Generator().manual_seed(seed)
        say(
            f"refining {len(conditions)} frames of {conditions.width}x{conditions.height}: {steps} steps, guidance "
            f"{guidance:g}" + (f", {len(windows)} windows" if len(windows) > 1 else "")
        )
        # Finished frames that a window still takes over, from its own first on.
        known = torch.zeros(0, conditions.height, conditions.width, 3)
        try:
            with progress("refining with Wan", len(windows) * steps) as bar:
                for window, following in zip_longest(windows, windows[1:]):
                    given = self._as_trained(_continued(given, window, known), window)
                    latents = self._sample(given, text, negative, steps, guidance, noise, bar.advance)
                    fresh = self._decoded(components, residency, latents, given)
                    ready = cross_fade(known, fresh, window.from_own_start(), config.overlap)
                    if following is None:
                        yield ready
                        return
                    passed = following.start - window.start
                    known = ready[passed:].clone()
                    yield ready[:passed]
                    given = _checked(conditions, following)
        except torch.OutOfMemoryError as error:
            raise MemoryShortageError(
                f"{self._device} ran out of memory under {self._plan}: use offload=blocks and tiled_vae=on, smaller "
                "frames, or a shorter window"
            ) from error
        finally:
            residency.clear()

    def _decoded(
        self, components: WanComponents, residency: Residency, latents: Float[Tensor, "1 c t y x"], given: Conditions
    ) -> Float[Tensor, "n h w 3"]:
        """A window's frames, without what it was padded with."""
        residency.bring("vae")
        fresh = decode_latents(components.vae, latents).cpu()[: len(given), : given.height, : given.width]
        if not bool(torch.isfinite(fresh).all()):
            raise RefinementError("Wan gave values that are not numbers: the weights may be damaged; try dtype=float32")
        return fresh

    def release(self) -> None:
        """Give back the weights' memory."""
        self._components = self._residency = self._plan = None
        self._texts.clear()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _ready(self, size: ClipSize) -> tuple[WanComponents, Residency]:
        """Find, check and load what is not yet there."""
        files = self._files = self._files or find_wan_files(self.config, self.config.lora)
        model = model_size(files, architecture_of(files.transformer), self._dtype)
        on_device, on_host = free_memory(self._device)
        if self._plan is None or self._components is None or self._residency is None:
            plan = choose_plan(model, size, self.config, self._device, on_device, on_host)
            say(f"Wan on {self._device} in {str(self._dtype).removeprefix('torch.')}: {plan}")
            place = self._device if plan.offload == "none" else torch.device("cpu")
            self._components = load_components(files, self._dtype, place)
            self._residency = Residency(self._components, self._device, plan.offload, plan.pinned)
        else:
            # Loaded weights stay where they are; only what a larger clip needs beside them can be short.
            fixed = replace(self.config, offload=self._plan.offload)
            there = self._plan.offload == "none" or self._device.type == "cpu"
            on_device, on_host = on_device + model.weights * there, on_host + self._plan.host_bytes
            plan = choose_plan(model, size, fixed, self._device, on_device, on_host)
        self._plan = plan
        if plan.tiled:
            self._components.vae.enable_tiling()
        else:
            self._components.vae.disable_tiling()
        return self._components, self._residency

    def _as_trained(self, conditions: Conditions, window: Window) -> Conditions:
        """A window's conditions in the world of its own first camera, as a training clip's are, depth in [-1, 1].

        A path's first window is left in the clip's world, where the release has it, wherever the path begins. Depth is
        normalised over the window's frames, as the release does over its 81.
        """
        depth = normalise_depth(conditions.depth)
        there = in_branch_world(conditions, self._unit, conditions.c2w[0] if window.start else None)
        return replace(there, depth=depth)

    def _sampling(self, components: WanComponents) -> tuple[int, float]:
        """Steps and guidance: as asked for, else what the weights were made for."""
        config, distilled = self.config, components.distilled
        steps = config.steps or (DISTILLED_STEPS if distilled else FULL_STEPS)
        guidance = config.guidance or (DISTILLED_GUIDANCE if distilled else FULL_GUIDANCE)
        if guidance == 1.0 and config.negative_prompt:
            warn("the negative prompt has no effect without guidance: set guidance above 1")
        return steps, guidance

    def _embed(self, prompt: str) -> Tensor:
        """Embedding of a prompt on the device, computed once."""
        assert self._components is not None
        assert self._residency is not None
        if prompt not in self._texts:
            self._residency.bring("text_encoder")
            parts = self._components
            self._texts[prompt] = encode_prompt(parts.tokenizer, parts.text_encoder, prompt, self._device)
        return self._texts[prompt].to(self._device)

    def _sample(
        self,
        conditions: Conditions,
        text: Float[Tensor, "1 l d"],
        negative: Float[Tensor, "1 l d"] | None,
        steps: int,
        guidance: float,
        generator: torch.Generator,
        on_step,
    ) -> Float[Tensor, "1 c t y x"]:
        """Latents of one window, whose depth is normalised."""
        assert self._components is not None
        assert self._residency is not None
        parts = self._components
        # Depth is padded as a colour would be.
        padded = pad_conditions(conditions)
        self._residency.bring("vae")
        control = encode_conditions(parts.vae, padded, padded.depth, self._device)
        noise = torch.randn(control.rgb.shape, generator=generator).to(self._device)
        self._residency.bring("transformer")
        scale, rounded = self.config.control_scale, self.config.timesteps == "bfloat16"
        return sample_latents(
            parts.transformer, noise, text, negative, control, steps, guidance, scale, rounded, on_step
        )


def _continued(given: Conditions, window: Window, known: Float[Tensor, "k h w 3"]) -> Conditions:
    """A window's conditions; where it overlaps finished frames, those, to be kept.

    Args:
        given: As drawn.
        window: Theirs.
        known: Finished frames from the window's first on.
    """
    if len(known) == 0:
        return given
    assert len(known) == window.known - window.start
    rgb, mask = given.rgb.clone(), given.mask.clone()
    rgb[: len(known)], mask[: len(known)] = known.to(rgb), True
    return replace(given, rgb=rgb, mask=mask)


def _checked(conditions: ConditionSource, window: Window) -> Conditions:
    """A window's conditions, which are all finite."""
    given = conditions[window.start : window.stop]
    for name in ("rgb", "depth", "plucker"):
        good = torch.isfinite(getattr(given, name)).flatten(1).all(dim=1)
        if not bool(good.all()):
            frame = window.start + int((~good).nonzero()[0, 0])
            raise RefinementError(
                f"the conditions' {name} is not finite in frame {frame}: the Gaussians or the trajectory are damaged"
            )
    return given


def _require_libraries() -> None:
    import importlib.util

    for name in ("diffusers", "transformers", "accelerate", "safetensors"):
        if importlib.util.find_spec(name) is None:
            raise RefinementError(f"Wan needs the library {name}: pip install 'neoverse-ns[generation]'")


def _device_of(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise RefinementError(f"'{name}' is no device: use auto, cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise RefinementError("there is no CUDA device: use device=cpu, or auto")
    return device


def _dtype_of(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return {"bfloat16": torch.bfloat16, "float32": torch.float32}[name]
