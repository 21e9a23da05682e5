"""Applies LoRA files of kohya's scripts to pipelines, and counts where exported pipelines differ from that.

Reads a list of jobs as JSON: {"model": DIR, "lora": FILE, "merged": DIR}. Writes for each how many tensors were changed, the keys
of the file that belong to no weight, and the names of weights whose values are others.

A name is matched as ComfyUI does it: each weight of the U-Net is known by its path in diffusers and by that in the original
model, with underscores; those of text encoders by their paths. The original numbers are counted as openaimodel.py makes its blocks, one
after the other. W becomes W + alpha / rank * up @ down.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

RESNET = {"time_emb_proj": "emb_layers.1"}


def weights(folder):
    found = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        found.update(load_file(path))
    return found


def blocks(paths):
    """The original prefix of each prefix of diffusers, counted block by block."""
    has = lambda prefix: any(path.startswith(prefix) for path in paths)
    count = lambda pattern: next(i for i in range(1000) if not has(pattern.format(i)))
    found, number = {}, 1
    for level in range(count("down_blocks.{}.")):
        for j in range(count(f"down_blocks.{level}.resnets.{{}}.")):
            found[f"down_blocks.{level}.resnets.{j}."] = f"input_blocks.{number}.0."
            found[f"down_blocks.{level}.attentions.{j}."] = f"input_blocks.{number}.1."
            number += 1
        number += has(f"down_blocks.{level}.downsamplers.")
    number = 0
    for level in range(count("up_blocks.{}.")):
        for j in range(count(f"up_blocks.{level}.resnets.{{}}.")):
            found[f"up_blocks.{level}.resnets.{j}."] = f"output_blocks.{number}.0."
            found[f"up_blocks.{level}.attentions.{j}."] = f"output_blocks.{number}.1."
            number += 1
    found["mid_block.resnets.0."] = "middle_block.0."
    found["mid_block.attentions.0."] = "middle_block.1."
    found["mid_block.resnets.1."] = "middle_block.2."
    return found


def names(parts):
    """The weight that each module of a LoRA is for: its component and its path."""
    found = {}
    numbers = blocks(parts["unet"])
    for component, tensors in parts.items():
        for name in tensors:
            path, _, part = name.rpartition(".")
            if part != "weight":
                continue
            if component == "unet":
                spelled = [path]
                for prefix, original in numbers.items():
                    if path.startswith(prefix):
                        rest = path[len(prefix) :]
                        spelled.append(original + RESNET.get(rest, rest))
                prefixes = ["lora_unet_"]
            else:
                spelled = [path]
                prefixes = ["lora_te_", "lora_te1_"] if component == "text_encoder" else ["lora_te2_"]
            for prefix in prefixes:
                for own in spelled:
                    found[prefix + own.replace(".", "_")] = (component, name)
    return found


def close(own, other):
    return torch.allclose(own.double(), other.double(), rtol=2 * torch.finfo(torch.float32).eps, atol=1e-7)


def run(job):
    folders = [p.name for p in Path(job["model"]).iterdir() if p.name in ("unet", "text_encoder", "text_encoder_2")]
    before = {name: weights(Path(job["model"]) / name) for name in folders}
    after = {name: weights(Path(job["merged"]) / name) for name in folders}
    lora, known = load_file(job["lora"]), names(before)
    with safe_open(job["lora"], "pt") as file:
        version = file.metadata()["ss_base_model_version"]
    wanted = {name: dict(tensors) for name, tensors in before.items()}
    unknown, changed = [], 0
    for module in sorted({key.split(".")[0] for key in lora}):
        if module not in known:
            unknown.append(module)
            continue
        component, name = known[module]
        up, down = lora[f"{module}.lora_up.weight"], lora[f"{module}.lora_down.weight"]
        scale = lora[f"{module}.alpha"].item() / down.shape[0]
        weight = wanted[component][name]
        change = scale * up.double().flatten(1) @ down.double().flatten(1)
        wanted[component][name] = (weight.double() + change.reshape(weight.shape)).to(weight.dtype)
        changed += not torch.equal(wanted[component][name], weight)
    wrong = [
        f"{component} {name}"
        for component, tensors in wanted.items()
        for name, tensor in tensors.items()
        if not close(after[component][name], tensor)
    ]
    return {"version": version, "changed": changed, "unknown": unknown, "wrong": wrong}


print(json.dumps([run(job) for job in json.load(sys.stdin)]))
