import type { ToolDefinition } from './definition';

/** The tools that take a model or an experiment's file. Literals, so that bundles drop those that nothing uses. */

export const INSPECT_MODEL: ToolDefinition = {
  reference: 'auroraInspectModel',
  name: 'Inspect Model',
  description: 'The layers that can be adapted in a model, and what a training step takes',
  forModel:
    "Inspects a transformer in the workspace (an .onnx file, or a Hugging Face folder with config.json and safetensors) without running it. Returns its family, parameter count, the names that can be used as adapter.targetModules with layer counts and shapes, operators that gradients cannot pass, and the estimated memory and time of one training step on this machine's CPU for a batch size, text length and adapter. Use it before writing an experiment (*.aurora.json), or to see whether a model fits. If the model cannot be used, the error says why and what to do.",
  icon: 'search',
  tag: 'model',
  effect: 'reads',
  input: {
    model: {
      type: 'string',
      description: 'Path of the .onnx file or the model folder, relative to the workspace folder',
    },
    batchSize: {
      type: 'integer',
      minimum: 1,
      description: 'Examples in the estimated step (default: 8)',
    },
    maxLength: {
      type: 'integer',
      minimum: 1,
      description: 'Tokens of each text in the estimated step (default: 128)',
    },
    method: {
      type: 'string',
      description:
        'Adapter of the estimated step, as adapter.method in experiments (default: aurora); none for the head alone',
    },
    rank: { type: 'integer', minimum: 1, description: "The adapter's rank (default: the method's)" },
    targetModules: {
      type: 'array',
      items: { type: 'string' },
      description: 'Module names as in the result\'s targetModules, such as ["query", "value"]',
    },
  },
  required: ['model'],
};

export const VALIDATE_EXPERIMENT: ToolDefinition = {
  reference: 'auroraValidate',
  name: 'Validate Experiment',
  description: 'The mistakes in an experiment file, with line and column',
  forModel:
    'Checks an AuroRA experiment (*.aurora.json) without running anything: its JSON, every setting against the schema and the rules between settings, the trials of its sweep, and whether the model, tokenizer and data files exist in the workspace. Returns each mistake with line, column and a suggestion, settings that have no effect, and the effective method, length and batch size. Use it after each change of an experiment file, before aurora_preflight.',
  icon: 'check',
  tag: 'data',
  effect: 'reads',
  input: {
    experiment: {
      type: 'string',
      description: 'Path of the *.aurora.json file, relative to the workspace folder',
    },
  },
  required: ['experiment'],
};

export const PREFLIGHT: ToolDefinition = {
  reference: 'auroraPreflight',
  name: 'Run Preflight',
  description: 'Check an experiment, and measure a few real training steps',
  forModel:
    'Checks an AuroRA experiment (*.aurora.json) and measures it with a few real training steps on this machine, keeping nothing. Returns a report: matched layers and trainable parameters, class balance, truncated texts, duplicates between training and validation data, time per step and for the whole run, peak memory, and every problem with its fix. Run it before aurora_run_experiment for a new or changed experiment. Takes from seconds to minutes, and asks the user for confirmation. Needs a trusted workspace.',
  icon: 'checklist',
  tag: 'data',
  effect: 'computes',
  input: {
    experiment: {
      type: 'string',
      description: 'Path of the *.aurora.json file, relative to the workspace folder',
    },
  },
  required: ['experiment'],
};

export const RUN_EXPERIMENT: ToolDefinition = {
  reference: 'auroraRun',
  name: 'Run Experiment',
  description: 'Train an experiment on this machine',
  forModel:
    "Starts training an AuroRA experiment (*.aurora.json) on this machine and returns the new run's id at once, without waiting for the end; then call aurora_follow_run. Settings can be changed for this run only. Asks the user for confirmation. Needs a trusted workspace. Mistakes in the experiment file are returned with line, column and a suggestion.",
  icon: 'play',
  tag: 'training',
  effect: 'trains',
  input: {
    experiment: {
      type: 'string',
      description: 'Path of the *.aurora.json file, relative to the workspace folder',
    },
    settings: {
      type: 'object',
      description:
        'Settings to change for this run, by dotted key; only adapter.* and training.*. Example: { "training.learningRate": 0.001, "adapter.rank": 4 }',
      additionalProperties: true,
    },
  },
  required: ['experiment'],
};

export const RUN_SWEEP: ToolDefinition = {
  reference: 'auroraSweep',
  name: 'Run Sweep',
  description: "Train the trials of an experiment's sweep on this machine",
  forModel:
    'Starts the sweep of an AuroRA experiment (*.aurora.json with a "sweep" section) on this machine, or continues it: finished trials are not trained again. Checks all trials first, which may take minutes, then returns without waiting for their end; then call aurora_follow_run with the same experiment as its sweep. Asks the user for confirmation. Needs a trusted workspace.',
  icon: 'run-all',
  tag: 'training',
  effect: 'trains',
  input: {
    experiment: {
      type: 'string',
      description: 'Path of the *.aurora.json file with the sweep, relative to the workspace folder',
    },
  },
  required: ['experiment'],
};
