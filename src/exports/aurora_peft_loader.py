"""Injects adapters trained with AuroRA Lab into PyTorch models. Requires only PyTorch. Apache-2.0.

    from aurora_peft_loader import Head, inject, labels

    inject(model, "exported")                      # in place: from here on, model(...) uses the adapter
    hidden = model(input_ids, attention_mask)      # with Hugging Face models: its .last_hidden_state
    logits = Head("exported")(hidden, attention_mask)
    labels("exported")[int(logits[0].argmax())]

The folder contains adapter_config.json and adapter_model.safetensors, as in PEFT, and aurora.json with the labels.
Plain LoRA adapters can be loaded too.
AuroRA (Dong et al., arXiv 2505.18738) adds s * B sigma(A x) to a linear layer's output, with
sigma(z) = act(H act(z)) + L(z) and L(z) = W sum_i b(z_i), where b are B-spline bases on a uniform grid, zero outside it.
The key "spline" of adapter_config.json names other readings of L: "per-dimension", a spline of z_o for each output o, and
"per-pair", one for each pair of an output and an input.
"""

import json
import re
import struct
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

PREFIX = "base_model.model."
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
ACTIVATIONS = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "leaky-relu": lambda x: F.leaky_relu(x, 0.01),
}
# b(t) = norm * (max(0, outer - |t|)^k - weight * max(0, inner - |t|)^k), t in grid steps from a basis' center.
FORMS = {1: (1.0, 0.0, 0.0, 1.0), 2: (1.5, 0.5, 3.0, 1 / 2), 3: (2.0, 1.0, 4.0, 1 / 6)}


def read_adapter(folder):
    """The configuration and the tensors by name."""
    folder = Path(folder)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    data = (folder / "adapter_model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(bytearray(data[start:end]), dtype=DTYPES[entry["dtype"]])
        tensors[name.removeprefix(PREFIX)] = flat.reshape(entry["shape"]).float()
    return config, tensors


def own_words(folder):
    """Information that PEFT's files cannot hold."""
    return json.loads((Path(folder) / "aurora.json").read_text(encoding="utf-8"))


def labels(folder):
    """Names of the classes, in the order of the logits."""
    return own_words(folder)["labels"]


class Adapter(nn.Module):
    """A linear layer with an adapter. `layer` is the original layer."""

    def __init__(self, layer, scale, dropout):
        super().__init__()
        self.layer, self.scale, self.dropout = layer, scale, nn.Dropout(dropout)
        self.bias = None

    def down(self, x):
        """(..., in) to (..., r): the input of B."""
        raise NotImplementedError

    def static_down(self):
        """(r, in): the matrix used in place of `down` when the adapter is merged into the weight."""
        raise NotImplementedError

    def forward(self, x):
        if not isinstance(self.layer, nn.Conv2d):
            return self.layer(x) + self.added(x)
        # A convolution of single pixels: its channels are the features.
        return self.layer(x) + self.added(x.movedim(1, -1)).movedim(-1, 1)

    def added(self, x):
        return self.scale * F.linear(self.down(self.dropout(x)), self.B, self.bias)

    def static_delta(self):
        """The change of the weight, (out, in)."""
        return self.scale * self.B @ self.static_down()


class LoraLinear(Adapter):
    def __init__(self, layer, tensors, config, scale):
        super().__init__(layer, scale, config.get("lora_dropout", 0.0))
        self.A = nn.Parameter(tensors["lora_A.weight"])
        self.B = nn.Parameter(tensors["lora_B.weight"])
        if config.get("lora_bias"):
            self.bias = nn.Parameter(tensors["lora_B.bias"])

    def down(self, x):
        return F.linear(x, self.A)

    def static_down(self):
        return self.A


class AuroraLinear(Adapter):
    def __init__(self, layer, tensors, config, scale):
        super().__init__(layer, scale, config.get("aurora_dropout", 0.0))
        self.act = ACTIVATIONS[config["activation"]]
        self.order = config["spline_order"]
        self.spline = config.get("spline", "shared")
        self.static = config.get("form") == "static"
        self.A = nn.Parameter(tensors["aurora_A.weight"])
        self.B = nn.Parameter(tensors["aurora_B.weight"])
        self.H = nn.Parameter(tensors["aurora_anl.base_weight"]) if config["fixed"] else None
        self.W = nn.Parameter(tensors["aurora_anl.spline_weight"]) if config["learnable"] else None
        low, high = config["grid_range"]
        grid = config["grid_size"]
        self.step = (high - low) / grid
        places = torch.arange(grid + self.order) - (self.order - 1) / 2
        self.register_buffer("centers", low + places * self.step, persistent=False)

    def sigma(self, z):
        """(..., r) to (..., r)."""
        out = 0
        if self.H is not None:
            out = self.act(F.linear(self.act(z), self.H))
        if self.W is not None:
            out = out + self.splines(self.bases(z))
        return out

    def splines(self, bases):
        """(..., r, grid + order) to (..., r)."""
        if self.spline == "per-dimension":
            return (bases * self.W).sum(-1)
        if self.spline == "per-pair":
            return F.linear(bases.flatten(-2), self.W.flatten(1))
        return F.linear(bases.sum(-2), self.W)

    def bases(self, z):
        """(..., r) to (..., r, grid + order)."""
        outer, inner, weight, norm = FORMS[self.order]
        t = ((z.unsqueeze(-1) - self.centers) / self.step).abs()
        return norm * ((outer - t).clamp(min=0) ** self.order - weight * (inner - t).clamp(min=0) ** self.order)

    def down(self, x):
        if self.static:
            return F.linear(x, self.static_down())
        return self.sigma(F.linear(x, self.A))

    def static_down(self):
        return self.sigma(self.A.T).T


KINDS = {"LORA": ("lora", LoraLinear), "AURORA": ("aurora", AuroraLinear)}


def inject(model, folder):
    """Wraps the adapter's layers around the model's layers with the same paths, in place; returns the model.

    Paths may have the prefix of a task model, such as "bert.", that this model lacks: one name. The model may be a
    pipeline of diffusers: its U-Net and its text encoders are adapted.
    """
    config, tensors = read_adapter(folder)
    if config["peft_type"] == "NONE":
        return model
    name, kind = KINDS[config["peft_type"]]
    end = f".{name}_A.weight"
    for path in [key.removesuffix(end) for key in tensors if key.endswith(end)]:
        own = {key.removeprefix(f"{path}."): t for key, t in tensors.items() if key.startswith(f"{path}.")}
        # PEFT's matrices on a convolution of single pixels are such convolutions.
        own = {part: t.flatten(1) if t.dim() == 4 else t for part, t in own.items()}
        root, place = find(model, path)
        parent, _, child = place.rpartition(".")
        owner = root.get_submodule(parent)
        layer = getattr(owner, child)
        rank = own[f"{name}_A.weight"].shape[0]
        alpha = of_pattern(config.get("alpha_pattern"), path, config[f"{name}_alpha"])
        scale = alpha / (rank**0.5 if config.get("use_rslora") else rank)
        adapter = kind(layer, own, config, scale).to(layer.weight.device, layer.weight.dtype)
        setattr(owner, child, adapter.train(root.training))
    load_saved(model, config, tensors)
    return model


@torch.no_grad()
def load_saved(model, config, tensors):
    """Loads what was trained beside the adapter: whole modules (modules_to_save), where the model has them, and rows of its
    embedding (trainable_token_indices)."""
    modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
    for key, tensor in tensors.items():
        path, _, part = key.rpartition(".")
        path = path.removesuffix(".token_adapter")
        module = modules.get(path, modules.get(path.partition(".")[2]))
        if part == "trainable_tokens_delta":
            (tokens,) = config["trainable_token_indices"].values()
            module.weight[tokens] = tensor.to(module.weight.dtype)
        if part not in ("weight", "bias") or re.search(r"(lora|aurora)_", path):
            continue
        own = getattr(module, part, None)
        if isinstance(own, torch.Tensor) and own.shape == tensor.shape:
            own.copy_(tensor)


def find(model, path):
    """The module that has a path, and the path there. In a pipeline, a text encoder's begins with its name."""
    short = path.partition(".")[2]
    if isinstance(model, nn.Module):
        places = [(model, path), (model, short)]
    else:
        places = [(getattr(model, path.partition(".")[0], None), short), (model.unet, path)]
    for root, place in places:
        if place and isinstance(root, nn.Module) and place in dict(root.named_modules()):
            return root, place
    raise ValueError(f"The model has no module {path}. Is it the model that the adapter was trained on?")


def of_pattern(patterns, path, otherwise):
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", path):
            return value
    return otherwise


@torch.no_grad()
def merge(model):
    """Adds every adapter to its layer and removes it, in place; returns the model.

    AuroRA is merged as in its paper: another function than the one that was trained, unless its static form was trained
    last. `aurora export --as peft-lora` writes a linear fit of it, which is usually much closer.
    """
    for path, adapter in [(p, m) for p, m in model.named_modules() if isinstance(m, Adapter)]:
        parent, _, child = path.rpartition(".")
        delta = adapter.static_delta()
        if isinstance(adapter.layer, nn.Conv2d):
            delta = delta[:, :, None, None]
        # GPT-2's Conv1D stores its weight as (in, out).
        adapter.layer.weight += delta if isinstance(adapter.layer, (nn.Linear, nn.Conv2d)) else delta.T
        if adapter.bias is not None:
            bias = adapter.scale * adapter.bias
            own = adapter.layer.bias
            adapter.layer.bias = nn.Parameter(bias if own is None else own + bias)
        setattr(model.get_submodule(parent), child, adapter.layer)
    return model


class Head(nn.Module):
    """The linear head that was trained with the adapter, on pooled hidden states or on those of every token."""

    def __init__(self, folder):
        super().__init__()
        _, tensors = read_adapter(folder)
        self.pooling = own_words(folder)["pooling"]
        self.scale = own_words(folder).get("scale")
        names = ("classifier", "classifier.out_proj", "score")
        name = next(name for name in names if f"{name}.weight" in tensors)
        self.weight = nn.Parameter(tensors[f"{name}.weight"])
        self.bias = nn.Parameter(tensors[f"{name}.bias"])

    def forward(self, hidden, attention_mask=None):
        """Hidden states (batch, sequence, features), or pooled ones (batch, features), to logits."""
        if hidden.dim() == 3 and self.pooling == "first-token":
            hidden = hidden[:, 0]
        elif hidden.dim() == 3 and self.pooling == "mean" and attention_mask is None:
            hidden = hidden.mean(1)
        elif hidden.dim() == 3 and self.pooling == "mean":
            mask = attention_mask.to(hidden.dtype)[..., None]
            hidden = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        logits = F.linear(hidden, self.weight, self.bias)
        # A head for numbers is trained on scaled ones.
        return logits if self.scale is None else logits * self.scale["deviation"] + self.scale["mean"]
