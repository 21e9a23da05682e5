import { relative } from 'node:path';
import { shellQuote } from '../base/shell-quote';
import { DEFAULT_TASK } from '../experiment/tasks/registry';

/** The program as the user called it, for command lines to copy. */
export function program(): string {
  const called = process.argv[1] ?? 'aurora';
  return /\.c?js$/.test(called) ? `node ${shellQuote(relative(process.cwd(), called))}` : 'aurora';
}

/** A command line to paste into a shell. An option is given as it is, anything else is quoted where it has to be. */
export const commandLine = (...args: readonly string[]): string =>
  [program(), ...args.map((arg) => (/^--[a-z-]+$/.test(arg) ? arg : shellQuote(arg)))].join(' ');

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
