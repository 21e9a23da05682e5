"""Writes an ONNX file as transformers' models are commonly exported: opset 17, open axes, names of modules kept."""

import warnings

import onnx
import torch


def export(model, path, inputs, output, sizes, dynamic, provenance):
    """`inputs`: name to example tensor; `sizes` of the output's axes; `dynamic`: name to open axes; `provenance` goes into
    the file's doc string."""
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
    # Without folding, the exporter does not know those that follow from shapes in the graph.
    for axis, size in zip(made.graph.output[0].type.tensor_type.shape.dim, sizes):
        if axis.dim_param not in dynamic[output].values():
            axis.dim_value = size
    onnx.checker.check_model(made)
    onnx.save(made, str(path))
