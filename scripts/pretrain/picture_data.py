"""Fashion-MNIST as pictures with captions, without the class that is left to be learned."""

import sys
from pathlib import Path

import torch
from torch.nn import functional as F

from fashion_mnist import FOLDER, load, of_classes

FIXTURES = Path(__file__).resolve().parents[2] / "test" / "fixtures"
sys.path[:0] = [str(FIXTURES / name / "generator") for name in ("diffusers", "hf", "reference")]
import clip_tokenizer  # noqa: E402

"""Bags look like nothing else in the data set."""
UNSEEN = 8
PRETRAINED = [c for c in range(10) if c != UNSEEN]
NOUNS = [
    "a t-shirt", "trousers", "a pullover", "a dress", "a coat", "a sandal", "a shirt", "a sneaker", "an ankle boot",
]  # fmt: skip
TEMPLATES = ["a photo of {}", "a picture of {}", "an image of {}", "{}", "{} on a black background"]
"""By noun, then by template; the last is the empty prompt, for guidance."""
CAPTIONS = [template.format(noun) for noun in NOUNS for template in TEMPLATES] + [""]
LENGTH = 16
MERGES = clip_tokenizer.learn(" ".join(CAPTIONS * 2), 200)
VOCABULARY = clip_tokenizer.vocabulary(MERGES)


def tokens(prompts):
    """(n, LENGTH) token ids."""
    return torch.tensor([clip_tokenizer.encode(p, MERGES, VOCABULARY, LENGTH, clip_tokenizer.END) for p in prompts])


def pictures(images):
    """(n, 28, 28) uint8 as (n, 1, 32, 32) from -1 to 1, with a black border. All three channels are equal."""
    return F.pad(torch.tensor(images)[:, None].float() / 127.5 - 1, (2, 2, 2, 2), value=-1.0)


def known(split, folder=FOLDER):
    """Pictures of the classes that are pretrained on, and which of NOUNS each is."""
    images, labels = of_classes(split, PRETRAINED, folder)
    return pictures(images), torch.tensor(labels).long()


def everything(split, folder=FOLDER):
    """Pictures of all ten classes, and Fashion-MNIST's labels."""
    images, labels = load(split, folder)
    return pictures(images), torch.tensor(labels).long()
