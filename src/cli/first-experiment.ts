import { DEFAULT_TASK } from '../experiment/tasks/registry';

/** An experiment to copy and change, for those who do not begin with *New Experiment* in VS Code. */
export const FIRST_EXPERIMENT = `{
  "model": { "path": "model.onnx" },
  "task": { "type": "${DEFAULT_TASK}" },
  "data": {
    "train": "train.csv", "validation": "validation.csv", "textColumn": "text", "labelColumn": "label"
  },
  "adapter": { "method": "aurora" },
  "training": { "epochs": 3, "learningRate": 2e-3 }
}`;
