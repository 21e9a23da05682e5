"""Loads exported adapters into PyTorch: reads a list of jobs as JSON, writes a list of logits.

A job: {"model": NAME, "weights": FILE, "folder": DIR, "with": "loader" | "merged" | "peft", "inputs": {NAME: rows}}.
"""

import json
import sys

import torch

from models import make
from peft_loader import Classifier, load_peft


def mean(hidden, mask):
    weights = mask[..., None].to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


def run(job):
    model = make(job["model"])
    model.load_state_dict(torch.load(job["weights"], weights_only=True))
    folder = job["folder"]
    inputs = [torch.tensor(rows) for rows in job["inputs"].values()]
    own_logits = job["model"] != "bert"
    if job["with"] == "peft":
        classifier = model if own_logits else Classifier(model, mean, 24, 2)
        return load_peft(classifier, folder)(*inputs)
    # Imports the module that was exported beside the adapter, not the repository's.
    sys.path.insert(0, job["loader"])
    sys.modules.pop("aurora_peft_loader", None)
    import aurora_peft_loader as loader

    sys.path.pop(0)
    loader.inject(model, folder)
    if job["with"] == "merged":
        loader.merge(model)
    out = model(*inputs)
    if loader.labels(folder) != ["other", "pets"]:
        raise ValueError(loader.labels(folder))
    return out if own_logits else loader.Head(folder)(out, inputs[1])


with torch.no_grad():
    jobs = json.load(sys.stdin)
    json.dump([run(job).flatten().tolist() for job in jobs], sys.stdout)
