"""PyTorch's side of the benchmark: the same encoder, adapters, batch and optimizer as step.ts.

Usage: torch_step.py CASE THREADS [cpu|cuda]. Answers each line of its input, "step", "evaluate" or "memory",
with one line of JSON.
"""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class AuroraLinear(nn.Module):
    """h = W0 x + s B sigma(A x), with sigma(z) = tanh(H tanh z) + W times the cubic B-spline bases of z."""

    def __init__(self, base, tensors, adapter):
        super().__init__()
        self.base = base
        self.A, self.H, self.W, self.B = (nn.Parameter(tensors[n]) for n in "AHWB")
        self.scale = adapter["alpha"] / adapter["rank"]
        low, high = adapter["gridRange"]
        self.h = (high - low) / adapter["gridSize"]
        count = adapter["gridSize"] + adapter["splineOrder"]
        centers = torch.tensor([low + (i - (adapter["splineOrder"] - 1) / 2) * self.h for i in range(count)])
        self.register_buffer("centers", centers / self.h)

    def forward(self, x):
        z = F.linear(x, self.A)
        u = (z.unsqueeze(-1) / self.h - self.centers).abs()
        bases = ((2 - u).relu() ** 3 - 4 * (1 - u).relu() ** 3).sum(-2) / 6
        sigma = torch.tanh(F.linear(torch.tanh(z), self.H)) + F.linear(bases, self.W)
        return self.base(x) + self.scale * F.linear(sigma, self.B)


class Layer(nn.Module):
    def __init__(self, weights, path, heads, epsilon):
        super().__init__()
        self.heads = heads
        self.query = linear(weights, f"{path}.attention.self.query")
        self.key = linear(weights, f"{path}.attention.self.key")
        self.value = linear(weights, f"{path}.attention.self.value")
        self.attended = linear(weights, f"{path}.attention.output.dense")
        self.norm1 = norm(weights, f"{path}.attention.output.LayerNorm", epsilon)
        self.inner = linear(weights, f"{path}.intermediate.dense")
        self.outer = linear(weights, f"{path}.output.dense")
        self.norm2 = norm(weights, f"{path}.output.LayerNorm", epsilon)

    def forward(self, x, mask):
        q, k, v = (m(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for m in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = self.norm1(self.attended(mixed.transpose(1, 2).flatten(2)) + x)
        return self.norm2(self.outer(F.gelu(self.inner(x))) + x)


class Classifier(nn.Module):
    def __init__(self, case, weights, trainable):
        super().__init__()
        self.pooling = case["pooling"]
        self.words = nn.Parameter(weights["embeddings.word_embeddings.weight"])
        self.places = nn.Parameter(weights["embeddings.position_embeddings.weight"])
        self.norm = norm(weights, "embeddings.LayerNorm", case["epsilon"])
        count = sum(name.endswith("intermediate.dense.weight") for name in weights)
        paths = [f"encoder.layer.{i}" for i in range(count)]
        self.layers = nn.ModuleList(Layer(weights, p, case["heads"], case["epsilon"]) for p in paths)
        self.requires_grad_(False)
        for path in case["modules"]:
            layer = self.layers[int(path.split(".")[2])]
            tensors = {n: trainable[f"{path}.{n}"] for n in "AHWB"}
            name = path.split(".")[-1]
            setattr(layer, name, AuroraLinear(getattr(layer, name), tensors, case["adapter"]))
        self.head = linear(trainable, "head")

    def forward(self, ids, mask):
        x = self.norm(F.embedding(ids, self.words) + self.places[: ids.shape[1]])
        real = mask.to(x.dtype)
        bias = (1 - real)[:, None, None, :] * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, bias)
        if self.pooling == "first-token":
            return self.head(x[:, 0])
        return self.head((x * real[:, :, None]).sum(1) / real.sum(1, keepdim=True))


def linear(tensors, path):
    weight = tensors[f"{path}.weight"]
    # Created without values, which would be drawn at random only to be replaced.
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.weight = nn.Parameter(weight)
    layer.bias = nn.Parameter(tensors[f"{path}.bias"])
    return layer


def norm(tensors, path, epsilon):
    weight = tensors[f"{path}.weight"]
    layer = nn.LayerNorm(weight.shape, eps=epsilon, device="meta")
    layer.weight = nn.Parameter(weight)
    layer.bias = nn.Parameter(tensors[f"{path}.bias"])
    return layer


def read_weight(path, stored):
    values = np.fromfile(path, np.float32, int(np.prod(stored["dims"])), offset=stored["offset"])
    values = values.reshape(stored["dims"])
    return torch.from_numpy(np.ascontiguousarray(values.T) if stored["transposed"] else values)


def dense(array, dtype):
    return torch.tensor(array["data"], dtype=dtype).reshape(array["dims"])


def peak_memory():
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main(path, threads, device="cpu"):
    torch.set_num_threads(threads)
    if device == "cuda" and not torch.cuda.is_available():
        print(json.dumps({"ready": False, "problem": "torch.cuda finds no card here"}), flush=True)
        return
    with open(path) as file:
        case = json.load(file)
    model_path = os.path.join(os.path.dirname(path), case["model"])
    weights = {name: read_weight(model_path, stored) for name, stored in case["weights"].items()}
    trainable = {name: dense(t, torch.float32) for name, t in case["trainable"].items()}
    model = Classifier(case, weights, trainable).to(device)
    inputs = [dense(case["inputs"][n], torch.int64).to(device) for n in ("input_ids", "attention_mask")]
    labels = dense(case["labels"], torch.int64).to(device)
    hyper = case["adamw"]
    parameters = [p for p in model.parameters() if p.requires_grad]
    assert sum(p.numel() for p in parameters) == sum(t.numel() for t in trainable.values())
    optimizer = torch.optim.AdamW(
        parameters, hyper["lr"], tuple(hyper["betas"]), hyper["eps"], hyper["weightDecay"]
    )

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(*inputs), labels)
        loss.backward()
        optimizer.step()
        return {"loss": loss.item()}

    def evaluate():
        with torch.inference_mode():
            return {"loss": F.cross_entropy(model(*inputs), labels).item()}

    def memory():
        return {"peakMB": peak_memory()}

    commands = {"step": step, "evaluate": evaluate, "memory": memory}
    versions = {"torch": torch.__version__, "python": sys.version.split()[0]}
    if device == "cuda":
        versions["card"] = torch.cuda.get_device_name()
    print(json.dumps({"ready": True, **versions}), flush=True)
    for line in sys.stdin:
        cpu = time.process_time()
        start = time.perf_counter()
        result = commands[line.strip()]()
        ms = (time.perf_counter() - start) * 1000
        cpu_ms = (time.process_time() - cpu) * 1000
        print(json.dumps({"ms": ms, "cpuMs": cpu_ms, **result}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
