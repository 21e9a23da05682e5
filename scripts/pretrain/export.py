"""Writes an ONNX file as transformers' models are commonly exported: opset 17, open axes, names of modules kept."""

import warnings

import onnx
import torch


def export(model, path, inputs, output, dynamic, provenance):
    """`inputs`: name to example tensor; `dynamic`: name to open axes; `provenance` goes into the file's doc string."""
    model.eval()
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    torch.onnx.export(
        model,
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=[output],
        dynamic_axes=dynamic,
        opset_version=17,
        dynamo=False,
        # Folding would store each weight under a number, and one that two layers share twice.
        do_constant_folding=False,
    )
    made = onnx.load(str(path))
    made.doc_string = provenance
    onnx.checker.check_model(made)
    onnx.save(made, str(path))
