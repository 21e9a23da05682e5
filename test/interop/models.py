"""Makes PyTorch models with random weights for the tests: `python3 models.py DIR` writes NAME.onnx and NAME.pt."""

import sys
import warnings
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures/reference/generator"))
import text_models as text  # noqa: E402

MODELS = {
    # Hidden states for a trained head; linear layers.
    "bert": lambda: text.Bert(vocab=32, layers=2),
    # Its own logits; GPT-2's Conv1D with an (in, out) weight.
    "gpt2": lambda: text.Gpt2(vocab=32, length=24, classes=2, d=18),
}


def make(name):
    torch.manual_seed(7)
    return MODELS[name]().eval().requires_grad_(False)


def main(folder):
    warnings.filterwarnings("ignore")
    ids = torch.randint(1, 21, (2, 7))
    axes = {0: "batch", 1: "sequence"}
    for name in MODELS:
        model = make(name)
        torch.save(model.state_dict(), f"{folder}/{name}.pt")
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            f"{folder}/{name}.onnx",
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state" if name == "bert" else "logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes},
            opset_version=17,
            dynamo=False,
        )


if __name__ == "__main__":
    main(sys.argv[1])
