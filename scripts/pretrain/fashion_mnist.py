"""Fashion-MNIST as Debian's package dataset-fashion-mnist has it (IDX files)."""

import gzip
from pathlib import Path

import numpy as np

FOLDER = Path("/usr/share/datasets/fashion-mnist")

CLASSES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip

# Every second class is pretrained on. The others, mostly tops that are easily confused, are left to adapt to.
PRETRAINED = [1, 3, 5, 7, 9]
UNSEEN = [0, 2, 4, 6, 8]


def load(split, folder=FOLDER):
    """`split`: train | t10k. Returns images (n, 28, 28) and labels (n), both uint8."""
    with gzip.open(Path(folder) / f"{split}-images-idx3-ubyte.gz") as f:
        images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(Path(folder) / f"{split}-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8)
    return images, labels


def of_classes(split, classes, folder=FOLDER):
    """The images of some classes, with labels counted from 0 in the order of `classes`."""
    images, labels = load(split, folder)
    kept = np.isin(labels, classes)
    return images[kept], np.searchsorted(classes, labels[kept])
