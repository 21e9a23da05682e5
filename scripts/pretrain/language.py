#!/usr/bin/python3
"""Pretrains the small language model of the language demo on Debian's package descriptions; see README.md."""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from export import export
from llama_model import CONFIG, LlamaForCausalLM
from loop import train

SEED = 1
BATCH, LENGTH = 8, 128
RATE = 3e-3
ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "demo" / "models" / "debian-llama"
PROVENANCE = (
    "Made for AuroRA Lab by scripts/pretrain/language.py from descriptions of Debian 13's packages. A toy by size, "
    "not a published model."
)


def windows(file):
    """Consecutive windows of LENGTH tokens and the one after, of texts that follow each other."""
    ids = torch.tensor(np.fromfile(file, np.uint16).astype(np.int64))
    return ids[: (len(ids) - 1) // LENGTH * LENGTH + 1].unfold(0, LENGTH + 1, LENGTH)


def loss_of(model, rows):
    logits = model(rows[:, :-1], torch.ones(len(rows), LENGTH))
    return F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())


def write(model):
    """The ONNX file and config.json."""
    OUT.mkdir(parents=True, exist_ok=True)
    example = {"input_ids": torch.ones(2, 5, dtype=torch.long), "attention_mask": torch.ones(2, 5, dtype=torch.long)}
    open_axes = {0: "batch", 1: "sequence"}
    axes = {name: open_axes for name in (*example, "logits")}
    export(model, OUT / "model.onnx", example, "logits", (2, 5, CONFIG["vocab_size"]), axes, PROVENANCE)
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "attention_bias": False,
        "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2,
    }  # fmt: skip
    (OUT / "config.json").write_text(json.dumps({**config, **CONFIG}, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--data", default=ROOT / ".cache" / "pretrain", help="what debian-texts.mjs has written")
    parser.add_argument("--checkpoint", default="/tmp/pretrain-language.pt")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    rows = windows(Path(args.data) / "train.u16")
    order = torch.cat([torch.randperm(len(rows), generator=torch.Generator().manual_seed(SEED + e)) for e in range(20)])
    model = LlamaForCausalLM()
    print(sum(p.numel() for p in model.parameters()), "parameters;", rows.size(0) * LENGTH, "tokens")

    def batch_loss(model, step):
        return loss_of(model, rows[order[step * BATCH : (step + 1) * BATCH]])

    half = train(model, batch_loss, args.steps, RATE, args.checkpoint)
    held_out = windows(Path(args.data) / "validation.u16")[:200]
    with torch.no_grad():
        losses = [loss_of(half, part).item() for part in held_out.split(BATCH)]
    loss = sum(losses) / len(losses)
    print(f"loss on {held_out.size(0) * LENGTH} tokens of other packages of these sections: {loss:.4f}")
    print(f"perplexity: {math.exp(loss):.2f}")
    write(model)


if __name__ == "__main__":
    main()
