"""Runs exported models in Debian's ONNX Runtime: reads a list of jobs as JSON, writes a list of logits.

A job: {"path": FILE, "output": NAME, "inputs": {NAME: rows}, "adapter": FILE or null}.
"""

import json
import sys

import numpy
import onnxruntime
from safetensors.numpy import load_file


def run(job):
    session = onnxruntime.InferenceSession(job["path"], providers=["CPUExecutionProvider"])
    feeds = {name: numpy.array(rows, dtype=numpy.int64) for name, rows in job["inputs"].items()}
    if job["adapter"]:
        feeds.update(load_file(job["adapter"]))
    names = [i.name for i in session.get_inputs()]
    [logits] = session.run([job["output"]], {name: feeds[name] for name in names})
    return logits.flatten().tolist()


print(f"onnxruntime {onnxruntime.__version__}", file=sys.stderr)
json.dump([run(job) for job in json.load(sys.stdin)], sys.stdout)
