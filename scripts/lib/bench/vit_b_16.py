#!/usr/bin/env python3
"""Exports torchvision's ViT-Base/16 with random weights, as its users would: `python3 vit_b_16.py FILE.onnx`.

Needs Debian's python3-torchvision and python3-onnx.
"""

import sys
import warnings

import torch
from torchvision.models import vit_b_16

warnings.filterwarnings("ignore")
torch.manual_seed(0)
torch.onnx.export(
    vit_b_16(weights=None).eval(),
    (torch.randn(2, 3, 224, 224),),
    sys.argv[1],
    input_names=["pixel_values"],
    output_names=["logits"],
    dynamic_axes={"pixel_values": {0: "batch"}, "logits": {0: "batch"}},
    opset_version=17,
    dynamo=False,
)
