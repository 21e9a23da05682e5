"""Follows the documented steps of HF PEFT when it loads a LoRA adapter, without any code of PEFT.

Configuration keys that LoraConfig of PEFT 0.7 (the first with use_rslora) does not have are rejected, as in
its constructor, and lora_bias is one of PEFT 0.14; target_modules chooses the modules; the state dict has to fill every adapter tensor.
"""

import json
import math
import re

import torch
from safetensors.torch import load_file
from torch import nn

# The keys of peft.LoraConfig 0.7.0 and of PeftConfig.
KNOWN = set(
    "peft_type auto_mapping base_model_name_or_path revision task_type inference_mode r target_modules lora_alpha "
    "lora_dropout fan_in_fan_out bias use_rslora modules_to_save init_lora_weights layers_to_transform "
    "layers_pattern rank_pattern alpha_pattern megatron_config megatron_core loftq_config".split()
)
KNOWN_SINCE_0_14 = KNOWN | {"lora_bias"}


class LoraLayer(nn.Module):
    def __init__(self, base, rank, alpha, rslora, bias):
        super().__init__()
        self.base_layer = base
        outputs, inputs = base.weight.shape if isinstance(base, nn.Linear) else reversed(base.weight.shape)
        self.lora_A = nn.ModuleDict({"default": nn.Linear(inputs, rank, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(rank, outputs, bias=bias)})
        self.scaling = alpha / (math.sqrt(rank) if rslora else rank)

    def forward(self, x):
        return self.base_layer(x) + self.lora_B["default"](self.lora_A["default"](x)) * self.scaling


def is_target(targets, key):
    if isinstance(targets, str):
        return re.fullmatch(targets, key) is not None
    return key in targets or any(key.endswith(f".{t}") for t in targets)


def of_pattern(patterns, key, otherwise):
    found = [p for p in patterns if re.match(rf"(.*\.)?({p})$", key)]
    return patterns[found[0]] if found else otherwise


class Classifier(nn.Module):
    """A base model with a classifier that modules_to_save can name, as in models for sequence classification."""

    def __init__(self, base, pool, hidden, labels):
        super().__init__()
        for name, module in base.named_children():
            setattr(self, name, module)
        self._base, self._pool = [base], pool
        self.classifier = nn.Linear(hidden, labels)

    def forward(self, input_ids, attention_mask):
        return self.classifier(self._pool(self._base[0](input_ids, attention_mask), attention_mask))


def load_peft(model, folder):
    """PeftModel.from_pretrained(model, folder), in place."""
    with open(f"{folder}/adapter_config.json", encoding="utf-8") as f:
        config = json.load(f)
    bias = config.get("lora_bias", False)
    unknown = set(config) - (KNOWN_SINCE_0_14 if bias else KNOWN)
    if unknown or config["peft_type"] != "LORA":
        raise TypeError(f"LoraConfig.__init__() got an unexpected keyword argument {sorted(unknown)}")
    if bias and config["init_lora_weights"] is not True:
        raise ValueError("The argument lora_bias=True is not supported with init_lora_weights")
    for path, module in list(model.named_modules()):
        if not hasattr(module, "weight") or not is_target(config["target_modules"], path):
            continue
        parent, _, child = path.rpartition(".")
        rank = of_pattern(config["rank_pattern"], path, config["r"])
        alpha = of_pattern(config["alpha_pattern"], path, config["lora_alpha"])
        wrapped = LoraLayer(module, rank, alpha, config["use_rslora"], bias)
        owner = model.get_submodule(parent)
        setattr(owner, child, wrapped)
    saved = list(config["modules_to_save"] or [])
    if config["task_type"] == "SEQ_CLS":
        # PeftModelForSequenceClassification always looks for these.
        saved += ["classifier", "score"]
    state = {}
    for key, tensor in load_file(f"{folder}/adapter_model.safetensors").items():
        name = key.removeprefix("base_model.model.")
        state[re.sub(r"\.(lora_[AB])\.(weight|bias)$", r".\1.default.\2", name)] = tensor
    expected = {
        name
        for name, _ in model.named_parameters()
        if ".lora_" in name or any(name.startswith(f"{m}.") for m in saved)
    }
    if set(state) != expected:
        raise KeyError(f"missing {sorted(expected - set(state))}, unexpected {sorted(set(state) - expected)}")
    with torch.no_grad():
        for name, tensor in state.items():
            model.get_parameter(name).copy_(tensor)
    return model.eval()
