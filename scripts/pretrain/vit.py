#!/usr/bin/python3
"""Pretrains the small vision transformer of the image demo on half of Fashion-MNIST's classes; see README.md."""

import argparse
import json
from pathlib import Path

import torch
from torch.nn import functional as F

from export import export
from fashion_mnist import CLASSES, FOLDER, PRETRAINED, of_classes
from loop import train
from vit_model import CONFIG, Backbone, ViTForImageClassification

SEED = 1
BATCH = 64
RATE = 1.5e-3
PAD = 2
OUT = Path(__file__).resolve().parents[2] / "demo" / "models" / "fashion-vit"
PROVENANCE = (
    "Made for AuroRA Lab by scripts/pretrain/vit.py from Fashion-MNIST (MIT), classes "
    + ", ".join(CLASSES[c] for c in PRETRAINED)
    + ". A toy by size, not a published model."
)


def pixels(images):
    """(n, 28, 28) uint8 as `pixel_values`: gray as RGB, from -1 to 1, as in preprocessor_config.json."""
    return ((images.float() / 255 - 0.5) / 0.5)[:, None].expand(-1, 3, -1, -1)


def augmented(images, generator):
    """Each image moved by up to PAD pixels, half of them mirrored."""
    n, size = len(images), images.size(-1)
    padded = F.pad(images, (PAD, PAD, PAD, PAD))
    move = torch.randint(0, 2 * PAD + 1, (2, n), generator=generator)
    mirror = torch.randint(0, 2, (n,), generator=generator)
    across = torch.arange(size)
    columns = torch.where(mirror[:, None] == 1, across.flip(0), across) + move[1][:, None]
    rows = across + move[0][:, None]
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def accuracy(model, images, labels):
    with torch.no_grad():
        right = [(model(pixels(x).bfloat16()).argmax(-1) == y).sum().item() for x, y in zip(images.split(250), labels.split(250))]
    return sum(right) / len(labels)


def write(model):
    """The ONNX file, config.json and preprocessor_config.json."""
    OUT.mkdir(parents=True, exist_ok=True)
    example = {"pixel_values": torch.zeros(2, 3, 28, 28)}
    axes = {"pixel_values": {0: "batch"}, "last_hidden_state": {0: "batch"}}
    export(Backbone(model), OUT / "model.onnx", example, "last_hidden_state", (2, 50, CONFIG["hidden_size"]), axes, PROVENANCE)
    config = {"model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_act": "gelu", "qkv_bias": True}
    write_json(OUT / "config.json", {**config, **CONFIG})
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True, "size": {"height": 28, "width": 28}, "resample": 2,
        "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }  # fmt: skip
    write_json(OUT / "preprocessor_config.json", processor)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--data", default=FOLDER, help="the folder with Fashion-MNIST's IDX files")
    parser.add_argument("--checkpoint", default="/tmp/pretrain-vit.pt")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    images, labels = (torch.tensor(x) for x in of_classes("train", PRETRAINED, args.data))
    labels = labels.long()
    model = ViTForImageClassification(len(PRETRAINED))
    print(sum(p.numel() for p in model.vit.parameters()), "parameters;", len(images), "images")

    def batch_loss(model, step):
        generator = torch.Generator().manual_seed(SEED * 1_000_003 + step)
        at = torch.randint(0, len(images), (BATCH,), generator=generator)
        logits = model(pixels(augmented(images[at], generator)).bfloat16())
        return F.cross_entropy(logits.float(), labels[at], label_smoothing=0.1)

    half = train(model, batch_loss, args.steps, RATE, args.checkpoint)
    held_out, truth = (torch.tensor(x) for x in of_classes("t10k", PRETRAINED, args.data))
    print(f"accuracy on the {len(truth)} test images of these classes: {accuracy(half, held_out, truth):.4f}")
    write(model)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
