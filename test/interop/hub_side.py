"""Merges PEFT's LoRAs into the weights of hub folders, and counts where exported folders differ from that.

Reads a list of jobs as JSON: {"model": DIR, "adapter": DIR, "merged": DIR}. Writes for each the names that only one folder
has, how many tensors were changed, and the names whose values or types are others.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file


def weights(folder):
    found = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        found.update(load_file(path))
    return found


def close(own, other):
    """Within two roundings of float32, or one of a 16-bit type."""
    eps = max(2 * torch.finfo(torch.float32).eps, torch.finfo(own.dtype).eps)
    return torch.allclose(own.double(), other.double(), rtol=eps, atol=1e-7)


def run(job):
    before, after, adapter = weights(job["model"]), weights(job["merged"]), weights(job["adapter"])
    config = json.loads((Path(job["adapter"]) / "adapter_config.json").read_text())
    changed, wrong = 0, []
    scale = config["lora_alpha"] / config["r"]
    for name, weight in before.items():
        module, _, part = name.rpartition(".")
        key = f"base_model.model.{module}"
        change = None
        if part == "weight" and f"{key}.lora_A.weight" in adapter:
            change = adapter[f"{key}.lora_B.weight"].double() @ adapter[f"{key}.lora_A.weight"].double()
            change = change.T if config["fan_in_fan_out"] else change
        elif part == "bias" and f"{key}.lora_B.bias" in adapter:
            change = adapter[f"{key}.lora_B.bias"].double()
        wanted = weight if change is None else (weight.double() + scale * change).to(weight.dtype)
        changed += not torch.equal(wanted, weight)
        own = after[name]
        same = close(own, wanted) if wanted is not weight else torch.equal(own, weight)
        if own.dtype != weight.dtype or own.shape != weight.shape or not same:
            wrong.append(name)
    return {"only": sorted(before.keys() ^ after.keys()), "changed": changed, "wrong": wrong}


print(json.dumps([run(job) for job in json.load(sys.stdin)]))
