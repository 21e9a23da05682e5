#!/usr/bin/python3
"""Trains the classifier that judges the pictures of the demo: a small CNN on all ten classes, real pictures only. It shares
nothing with the pipeline; see README.md."""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from export import export
from fashion_mnist import CLASSES, FOLDER
from loop import train
from picture_data import everything

SEED, BATCH, RATE = 2, 128, 2e-3
CHECKPOINT = "/tmp/pretrain-picture-classifier.pt"
OUT = Path(__file__).resolve().parents[2] / "demo" / "models" / "fashion-classifier"
PROVENANCE = (
    "Made for AuroRA Lab by scripts/pretrain/picture_classifier.py from Fashion-MNIST (MIT). Classes, in the order of the"
    f" logits: {', '.join(CLASSES)}. A toy by size, not a published model."
)


class Classifier(nn.Module):
    """Pixels (b, 3, 32, 32) from -1 to 1, of which it takes the mean of the channels, to logits (b, 10)."""

    def __init__(self):
        super().__init__()
        widths = [1, 16, 32, 64]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(nn.GroupNorm(4, width) for width in widths[1:])
        self.hidden, self.out = nn.Linear(64 * 4 * 4, 64), nn.Linear(64, len(CLASSES))

    def forward(self, sample):
        x = sample.mean(1, keepdim=True)
        for convolution, norm in zip(self.convolutions, self.norms):
            x = F.max_pool2d(F.relu(norm(convolution(x))), 2)
        return self.out(F.relu(self.hidden(x.flatten(1))))


def moved(pictures, generator):
    """Each by up to two pixels; the border is black."""
    n = len(pictures)
    padded = F.pad(pictures[:, 0], (2, 2, 2, 2), value=-1.0)
    down, right = torch.randint(0, 5, (2, n, 1), generator=generator)
    rows, columns = torch.arange(32) + down, torch.arange(32) + right
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--data", default=FOLDER, help="the folder with Fashion-MNIST's IDX files")
    parser.add_argument("--checkpoint", default=CHECKPOINT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    images, labels = everything("train", args.data)
    model = Classifier()

    def batch_loss(half, step):
        generator = torch.Generator().manual_seed(SEED * 1_000_003 + step)
        at = torch.randint(0, len(labels), (BATCH,), generator=generator)
        x = moved(images[at], generator).expand(-1, 3, -1, -1).bfloat16()
        return F.cross_entropy(half(x).float(), labels[at], label_smoothing=0.05)

    half = train(model, batch_loss, args.steps, RATE, args.checkpoint)
    test, truth = everything("t10k", args.data)
    with torch.no_grad():
        found = torch.cat([half(x.expand(-1, 3, -1, -1).bfloat16()).argmax(-1) for x in test.split(250)])
    print(f"accuracy on {len(truth)} test images: {(found == truth).float().mean():.4f}")
    for c, name in enumerate(CLASSES):
        print(f"  {name}: found {(found[truth == c] == c).float().mean():.3f}, right {(truth[found == c] == c).float().mean():.3f}")
    OUT.mkdir(parents=True, exist_ok=True)
    axes = {"sample": {0: "batch"}, "logits": {0: "batch"}}
    export(model, OUT / "model.onnx", {"sample": torch.zeros(2, 3, 32, 32)}, "logits", (2, len(CLASSES)), axes, PROVENANCE)


if __name__ == "__main__":
    main()
