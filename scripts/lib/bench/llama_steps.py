"""Two AdamW steps of AuroRA on a quantized LLaMA in PyTorch, in float64: the reference of `bench:large --check`.

    python3 llama_steps.py QUANTIZED_FOLDER START_FOLDER END_FOLDER TOKENS.json LOADER_FOLDER RATE EPSILON

Weights are those of the ONNX file, dequantized; the adapter begins as in START_FOLDER. Prints as JSON the losses of both
steps and after them, and how far the adapter is from that in END_FOLDER.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

quantized, start, end, tokens, loader, rate, epsilon = sys.argv[1:]
sys.path.insert(0, loader)
from aurora_peft_loader import inject, read_adapter  # noqa: E402

torch.set_default_dtype(torch.float64)
BETAS = (0.9, 0.999)
BLOCK = 32


def weights(folder):
    """The initializers of model.onnx by name, in float64; layers of 4 bits under the name of their weight."""
    model = onnx.load(str(Path(folder) / "model.onnx"), load_external_data=False)
    stored = {}
    for t in model.graph.initializer:
        place = {e.key: e.value for e in t.external_data}
        if not place:
            stored[t.name] = onnx.numpy_helper.to_array(t)
            continue
        kind = {1: np.float32, 2: np.uint8, 16: np.uint16}[t.data_type]
        path = Path(folder) / place["location"]
        flat = np.memmap(path, kind, "r", int(place["offset"]), shape=tuple(t.dims))
        stored[t.name] = (flat.astype(np.uint32) << 16).view(np.float32) if t.data_type == 16 else flat
    named = {}
    for name, value in stored.items():
        if name.endswith("_Q4"):
            nibbles = np.stack([value & 15, value >> 4], -1).reshape(*value.shape[:2], BLOCK)
            scales = stored[name.removesuffix("Q4") + "scales"][..., None].astype(np.float64)
            named[name.removesuffix("_Q4")] = ((nibbles.astype(np.float64) - 8) * scales).reshape(len(value), -1)
        elif value.dtype == np.float32:
            named[name] = value.astype(np.float64)
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in named.items()}


def norm(x, weight, epsilon):
    return weight * x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt()


class Layer(nn.Module):
    def __init__(self, w, at):
        super().__init__()
        self.self_attn, self.mlp = nn.Module(), nn.Module()
        for part, names in (("self_attn", "q k v o"), ("mlp", "gate up down")):
            for name in names.split():
                matrix = w.pop(f"{at}.{part}.{name}_proj.weight")
                linear = nn.Linear(*reversed(matrix.shape), bias=False, device="meta")
                linear.weight = nn.Parameter(matrix, requires_grad=False)
                setattr(getattr(self, part), f"{name}_proj", linear)
        self.before = w.pop(f"{at}.input_layernorm.weight")
        self.between = w.pop(f"{at}.post_attention_layernorm.weight")

    def forward(self, x, config, cos, sin):
        a, heads, groups = self.self_attn, config["num_attention_heads"], config["num_key_value_heads"]
        h = norm(x, self.before, config["rms_norm_eps"])
        q, k, v = (p(h).unflatten(-1, (n, -1)).transpose(0, 1) for p, n in
                   ((a.q_proj, heads), (a.k_proj, groups), (a.v_proj, groups)))
        turned = [t * cos + torch.cat([-t[..., t.shape[-1] // 2:], t[..., : t.shape[-1] // 2]], -1) * sin for t in (q, k)]
        q, (k, v) = turned[0], (t.repeat_interleave(heads // groups, 0) for t in (turned[1], v))
        scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
        mask = torch.full(scores.shape[1:], -torch.inf).triu(1)
        x = x + a.o_proj(((scores + mask).softmax(-1) @ v).transpose(0, 1).flatten(1))
        h = norm(x, self.between, config["rms_norm_eps"])
        return x + self.mlp.down_proj(F.silu(self.mlp.gate_proj(h)) * self.mlp.up_proj(h))


class Llama(nn.Module):
    def __init__(self, w, config):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Layer(w, f"layers.{i}") for i in range(config["num_hidden_layers"]))
        self.table, self.head, self.last = (w.pop(f"{n}.weight") for n in ("embed_tokens", "lm_head", "norm"))

    def loss(self, ids):
        """The mean over all tokens but the first."""
        width = self.config["hidden_size"] // self.config["num_attention_heads"]
        speeds = self.config["rope_theta"] ** (-torch.arange(0, width, 2) / width)
        angles = torch.outer(torch.arange(len(ids)).double(), speeds).repeat(1, 2)
        x = self.table[ids]
        for layer in self.layers:
            x = layer(x, self.config, angles.cos(), angles.sin())
        return F.cross_entropy(norm(x, self.last, self.config["rms_norm_eps"])[:-1] @ self.head.T, ids[1:])


config = json.loads((Path(quantized) / "config.json").read_text())
texts = {name: torch.tensor(ids) for name, ids in json.loads(Path(tokens).read_text()).items()}
model = inject(Llama(weights(quantized), config), start)
trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
for p in trained.values():
    p.data = p.data.double()
optimizer = torch.optim.AdamW(trained.values(), lr=float(rate), betas=BETAS, eps=float(epsilon), weight_decay=0)
begin = {n: p.detach().clone() for n, p in trained.items()}
losses = []
for _ in range(2):
    optimizer.zero_grad()
    loss = model.loss(texts["train"])
    loss.backward()
    losses.append(loss.item())
    optimizer.step()
with torch.no_grad():
    losses.append(model.loss(texts["validation"]).item())

_, theirs = read_adapter(end)
short = {"A": "aurora_A.weight", "B": "aurora_B.weight", "H": "aurora_anl.base_weight", "W": "aurora_anl.spline_weight"}
worst = {}
for name, value in trained.items():
    path, _, letter = name.rpartition(".")
    key = next(k for k in theirs if k.endswith(f"{path}.{short[letter]}"))
    ours, moved = theirs[key].double(), (value.detach() - begin[name]).norm()
    gap = ((ours - value.detach()).norm() / (moved + 1e-30)).item()
    relative = ((ours - value.detach()).norm() / value.detach().norm()).item()
    worst[letter] = [max(a, b) for a, b in zip(worst.get(letter, (0, 0)), (gap, relative))]
print(json.dumps({"losses": losses, "ofTheChange": {k: v[0] for k, v in worst.items()},
                  "relative": {k: v[1] for k, v in worst.items()}}))
