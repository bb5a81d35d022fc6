"""From noise to latents: Euler steps along the predicted velocity, with or without guidance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.schedule import sampling_scheduler

if TYPE_CHECKING:
    from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer


@torch.no_grad()
def sample_latents(
    transformer: ControlledWanTransformer,
    noise: Float[Tensor, "1 c t y x"],
    text: Float[Tensor, "1 l d"],
    negative: Float[Tensor, "1 l d"] | None,
    control: ControlInput,
    steps: int,
    guidance: float = 1.0,
    control_scale: float = 1.0,
    round_timesteps: bool = True,
    on_step: Callable[[], None] = lambda: None,
) -> Float[Tensor, "1 c t y x"]:
    """Integrate the flow from `noise` to a sample.

    Args:
        transformer: On the device of `noise`.
        noise: Standard normal, float32; the state stays float32 whatever the transformer computes in.
        text: Embedding of the prompt.
        negative: Embedding of the negative prompt; needed where `guidance` is not 1.
        control: What was rendered.
        steps: Euler steps.
        guidance: v = v_negative + guidance (v_text - v_negative) (classifier-free guidance); 1 skips the second pass.
        control_scale: Factor of the control branch's hints.
        round_timesteps: Tell the transformer timesteps rounded to bfloat16, as the release does.
        on_step: Called after each step.
    """
    dtype = transformer.dtype
    scheduler = sampling_scheduler(steps)
    state = noise
    for timestep in torch.as_tensor(scheduler.timesteps):
        # Two passes after each other take half the memory of a batch of two.
        told = timestep.to(torch.bfloat16).to(timestep) if round_timesteps else timestep
        moment = told.to(noise.device).expand(1)
        velocity = transformer(state.to(dtype), moment, text.to(dtype), control, control_scale).float()
        if guidance != 1.0:
            assert negative is not None
            away = transformer(state.to(dtype), moment, negative.to(dtype), control, control_scale).float()
            velocity = away + guidance * (velocity - away)
        state = torch.as_tensor(scheduler.step(velocity, timestep, state, return_dict=False)[0])  # pyright: ignore
        on_step()
    return state
