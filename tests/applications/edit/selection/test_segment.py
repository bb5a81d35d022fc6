"""Regions named in words, by small segmentation models of random weights in the layout that transformers publishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from neoverse_ns.applications.edit.selection.segment import SegmentConfig, class_numbers, load_segmenter, segment
from neoverse_ns.errors import SettingsError, WeightsError
from tests.applications.edit.yard import HEIGHT, WIDTH, yard


@pytest.fixture(scope="module")
def clipseg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("clipseg")
    torch.manual_seed(0)
    text = {"vocab_size": 64, "hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "eos_token_id": 1}
    text |= {"num_hidden_layers": 2, "max_position_embeddings": 16, "bos_token_id": 0, "pad_token_id": 1}
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
    vision |= {"image_size": 32, "patch_size": 8}
    config = transformers.CLIPSegConfig(
        text_config=text,
        vision_config=vision,
        projection_dim=16,
        reduce_dim=16,
        extract_layers=[0, 1, 2],
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    transformers.CLIPSegForImageSegmentation(config).save_pretrained(folder)
    letters = [chr(ord("a") + i) for i in range(26)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    images = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    transformers.CLIPSegProcessor(images, tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def segformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("segformer")
    torch.manual_seed(0)
    names = {0: "wall", 1: "car, auto", 2: "person"}
    config = transformers.SegformerConfig(
        num_encoder_blocks=2,
        depths=[1, 1],
        sr_ratios=[2, 1],
        hidden_sizes=[8, 8],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 1],
        mlp_ratios=[1, 1],
        decoder_hidden_size=8,
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(folder)
    transformers.SegformerImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def image() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 255, (HEIGHT, WIDTH, 3), dtype=torch.uint8, generator=generator)


def test_words_and_threshold_decide_at_the_size_of_the_image(clipseg: Path) -> None:
    masks = {}
    for threshold in (0.01, 0.99):
        find = load_segmenter("white car", SegmentConfig(str(clipseg), threshold))
        masks[threshold] = find(image())
        assert masks[threshold].shape == (HEIGHT, WIDTH)
        assert torch.equal(find(image()), masks[threshold])
    assert (masks[0.01] >= masks[0.99]).all()
    assert masks[0.01].sum() > masks[0.99].sum()


def test_the_training_frames_are_looked_through(clipseg: Path) -> None:
    masks, frames = segment(yard(), "red box", SegmentConfig(str(clipseg), 0.01))
    assert frames == [0, 1, 2, 4]
    assert masks.shape == (4, HEIGHT, WIDTH)
    with pytest.raises(SettingsError, match="in no frame"):
        segment(yard(), "red box", SegmentConfig(str(clipseg), 0.9999))


def test_the_classes_of_a_model_share_out_the_picture(segformer: Path) -> None:
    masks = [load_segmenter(word, SegmentConfig(str(segformer)))(image()) for word in ("wall", "car", "person")]
    assert torch.equal(torch.stack(masks).sum(dim=0), torch.ones(HEIGHT, WIDTH, dtype=torch.int64))


def test_classes_are_found_by_their_words() -> None:
    names = {0: "wall", 1: "car, auto", 2: "traffic light", 3: "carpet"}
    assert class_numbers("white car", names, "m") == [1]
    assert class_numbers("light", names, "m") == [2]
    with pytest.raises(SettingsError, match="no such class; it knows wall, car, auto"):
        class_numbers("dragon", names, "m")


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(WeightsError, match="nobody/no-such-model"):
        load_segmenter("car", SegmentConfig("nobody/no-such-model"))
    with pytest.raises(SettingsError, match="between 0 and 1"):
        load_segmenter("car", SegmentConfig(str(tmp_path), 1.0))
