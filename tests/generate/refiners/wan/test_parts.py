"""Prompts, padding, windows and latents, each by itself."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from neoverse_ns.generate.conditions.depth import normalise_depth
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.refiners.wan.latents import decode_latents, encode_conditions, encode_video
from neoverse_ns.generate.refiners.wan.padding import pad_conditions, padded_count, padded_side
from neoverse_ns.generate.refiners.wan.sliding_windows import Window, cross_fade, plan_windows
from neoverse_ns.generate.refiners.wan.text import TOKENS, clean, encode_prompt, tokenize
from tests.generate.refiners.wan.tiny_wan import build_text_encoder, build_vae, make_conditions, save_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(folder)
    return AutoTokenizer.from_pretrained(folder)


def test_prompt_is_embedded_and_zero_past_its_end(tokenizer):
    encoder = build_text_encoder()
    text = encode_prompt(tokenizer, encoder, "a street", "cpu")
    count = len(tokenize(tokenizer, "a street"))
    assert text.shape == (1, TOKENS, 16)
    assert bool((text[:, :count].abs().sum(-1) > 0).all())
    assert not bool(text[:, count:].any())
    # Padding behind a mask, as pipelines do it, gives the same.
    padded = tokenizer(["a street"], padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt")
    with torch.no_grad():
        states = encoder(padded.input_ids, padded.attention_mask).last_hidden_state
    torch.testing.assert_close(text[:, :count], states[:, :count], atol=1e-5, rtol=1e-5)
    assert clean("  a&amp;amp;b \n c ") == "a&b c"


def test_too_long_a_prompt_is_cut_with_a_warning(tokenizer, capsys):
    ids = tokenize(tokenizer, "the street " * 300 + "the night")
    assert len(ids) == TOKENS
    assert ids[-1] == tokenizer.eos_token_id
    whole = list(tokenizer("the street " * 300 + "the night")["input_ids"])
    assert ids[:-1] == whole[: TOKENS - 1]
    out = " ".join(capsys.readouterr().out.split())
    assert f"the prompt has {len(whole)} tokens, {len(whole) - TOKENS} too many" in out
    assert "the night'" in out


def test_padding_repeats_edges_and_runs_rays_on():
    conditions = make_conditions(frames=6, height=20, width=33)
    assert [padded_count(n) for n in (1, 2, 5, 6)] == [1, 5, 5, 9]
    assert [padded_side(n) for n in (16, 17, 336)] == [16, 32, 336]
    padded = pad_conditions(conditions)
    assert (len(padded), padded.height, padded.width) == (9, 32, 48)
    for name in ("rgb", "depth", "mask"):
        given, got = getattr(conditions, name), getattr(padded, name)
        assert torch.equal(got[:6, :20, :33], given)
        assert torch.equal(got[:6, :20, 47], given[:, :, 32])
        assert torch.equal(got[:6, 31, :33], given[:, 19])
        assert torch.equal(got[8], got[5])
    rays = plucker_maps(conditions.c2w, conditions.K, 32, 48)
    torch.testing.assert_close(padded.plucker[:6], rays)
    assert pad_conditions(padded) is padded
    withheld = make_conditions(frames=5, height=20, width=33)
    withheld.plucker.zero_()
    assert not bool(pad_conditions(withheld).plucker.any())


@pytest.mark.parametrize(("frames", "length", "overlap"), [(5, 9, 3), (9, 9, 3), (10, 9, 3), (40, 9, 4), (40, 9, 0)])
def test_windows_cover_every_frame(frames, length, overlap):
    windows = plan_windows(frames, length, overlap)
    assert windows[0] == Window(0, min(frames, length), 0)
    assert windows[-1].stop == frames
    for before, after in pairwise(windows):
        assert after.known == before.stop
        assert after.start <= before.stop - overlap
        assert after.stop > before.stop
        assert len(after) == length


def test_cross_fade_is_a_ramp_over_the_overlap():
    finished, fresh = torch.zeros(6, 1, 1, 3), torch.ones(5, 1, 1, 3)
    mixed = cross_fade(finished, fresh, Window(3, 8, 6), overlap=3)[:, 0, 0, 0]
    torch.testing.assert_close(mixed, torch.tensor([0, 0, 0, 0.25, 0.5, 0.75, 1, 1]))
    # A window moved back shares more than it fades over: the finished frames stay.
    mixed = cross_fade(finished, fresh, Window(2, 7, 6), overlap=1)[:, 0, 0, 0]
    torch.testing.assert_close(mixed, torch.tensor([0, 0, 0, 0, 0, 0.5, 1]))
    assert torch.equal(cross_fade(finished[:0], fresh, Window(0, 5, 0), overlap=3), fresh)


def test_latents_are_normalised_and_come_back():
    vae, conditions = build_vae(), make_conditions()
    video = 2 * conditions.rgb.movedim(-1, 0)[None] - 1
    latents = encode_video(vae, video)
    assert latents.shape == (1, 4, 2, 4, 4)
    with torch.no_grad():
        raw = vae.encode(video).latent_dist.mode()
        expected = (vae.decode(raw).sample[0] + 1) / 2
    torch.testing.assert_close(latents[0, 1], (raw[0, 1] + 0.2) / 0.9)
    torch.testing.assert_close(decode_latents(vae, latents), expected.movedim(0, -1), atol=1e-5, rtol=1e-5)


def test_control_input_of_conditions():
    vae, conditions = build_vae(), make_conditions()
    depth = normalise_depth(conditions.depth)
    control = encode_conditions(vae, conditions, depth, "cpu")
    torch.testing.assert_close(control.rgb, encode_video(vae, 2 * conditions.rgb.movedim(-1, 0)[None] - 1))
    torch.testing.assert_close(control.depth, encode_video(vae, torch.stack([depth] * 3)[None]))
    assert torch.equal(control.mask[0, 0], conditions.mask.float())
    assert torch.equal(control.plucker[0, :, 3], conditions.plucker[3])
