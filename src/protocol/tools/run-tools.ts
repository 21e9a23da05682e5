import { EXPORT_FORMS, MERGES, TENSORBOARD } from '../export';
import type { ToolDefinition } from './definition';

/** The tools that take runs. Literals, so that bundles drop those that nothing uses. */

export const FOLLOW_RUN: ToolDefinition = {
  reference: 'auroraFollow',
  name: 'Follow Run',
  description: 'Wait for a run or a sweep, and report its progress',
  forModel:
    'Waits for an AuroRA run to end, for at most waitSeconds, and returns its state, step, best and latest evaluation, and its loss curve at a few steps. With sweep, waits for the sweep of an experiment instead, and returns how many trials are in which state, and the best ones. Call it again while the state is starting or running. With waitSeconds 0 it returns where the run stands now.',
  icon: 'pulse',
  tag: 'training',
  effect: 'reads',
  input: {
    run: { type: 'string', description: 'Id, folder or display name of the run (default: the newest)' },
    sweep: { type: 'string', description: 'Path of a *.aurora.json file: follow its newest sweep instead' },
    waitSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 600,
      description: 'Longest wait in seconds (default: 60)',
    },
  },
};

export const STOP_RUN: ToolDefinition = {
  reference: 'auroraStop',
  name: 'Stop Run',
  description: 'Stop a run or a sweep, which saves first',
  forModel:
    'Stops an AuroRA run that is training, or with sweep the sweep of an experiment and its trials. The trainer finishes its step and saves, so that the run can be resumed; returns what was saved. Asks the user for confirmation. Needs a trusted workspace. Use it for a run that diverges, overfits or was started by mistake.',
  icon: 'debug-stop',
  tag: 'training',
  effect: 'stops',
  input: {
    run: { type: 'string', description: 'Id, folder or display name of the run' },
    sweep: { type: 'string', description: 'Path of a *.aurora.json file: stop its running sweep instead' },
  },
};

export const FORK_RUN: ToolDefinition = {
  reference: 'auroraFork',
  name: 'Fork Run',
  description: "Train on from a run's checkpoint, with other settings",
  forModel:
    "Starts a new run from a checkpoint of an AuroRA run, with changed training settings such as the learning rate; it keeps the other run's curve up to that step. With nothing changed it repeats the run bit for bit. Returns the new run's id at once; then call aurora_follow_run. aurora_explain_run lists a run's checkpoints. Asks the user for confirmation. Needs a trusted workspace.",
  icon: 'repo-forked',
  tag: 'training',
  effect: 'trains',
  input: {
    run: { type: 'string', description: 'Id, folder or display name of the run' },
    step: {
      type: 'integer',
      minimum: 0,
      description:
        'Step to continue from: the last checkpoint at or before it is used, 0 is the beginning (default: the last checkpoint)',
    },
    settings: {
      type: 'object',
      description:
        'Settings to change, by dotted key; only adapter.* and training.*. Example: { "training.learningRate": 0.0005 }',
      additionalProperties: true,
    },
  },
  required: ['run'],
};

export const COMPARE_RUNS: ToolDefinition = {
  reference: 'auroraCompare',
  name: 'Compare Runs',
  description: 'Results and differing settings of runs, with statistical tests',
  forModel:
    'Lists and compares AuroRA runs, the best first: state, best and latest evaluation, trainable parameters, duration, and only the settings in which they differ. For finished runs it adds paired statistical tests between groups that differ in more than the seed, worded so that chance is not taken for a difference. Without arguments it lists all runs of the workspace.',
  icon: 'git-compare',
  tag: 'evaluation',
  effect: 'reads',
  input: {
    runs: {
      type: 'array',
      items: { type: 'string' },
      description: 'Ids, folders or display names of the runs',
    },
    experiment: { type: 'string', description: 'Path of a *.aurora.json file: compare all its runs' },
    metric: {
      type: 'string',
      description:
        'Metric to sort and test by, such as accuracy, loss, f1, perplexity (default: that of the first run)',
    },
  },
};

export const EXPLAIN_RUN: ToolDefinition = {
  reference: 'auroraExplain',
  name: 'Explain Run',
  description: 'Everything that a run recorded',
  forModel:
    "Returns everything that an AuroRA run recorded, to explain how it went and what to change: all settings, data facts, evaluations, the loss, learning rate and gradient norm at points of the curve, warnings and alarms, why it stopped or failed, the trivial baseline, test scores, device and checkpoints. The numbers are those of the run's files; quote them, do not estimate others.",
  icon: 'info',
  tag: 'evaluation',
  effect: 'reads',
  input: {
    run: { type: 'string', description: 'Id, folder or display name of the run (default: the newest)' },
  },
};

export const SHOW_ERRORS: ToolDefinition = {
  reference: 'auroraErrors',
  name: 'Show Errors',
  description: 'Where a trained model is wrong: confused labels, slices, examples',
  forModel:
    'Shows where the model of an AuroRA run is wrong: confused labels, accuracy by text length and by label, and the most informative examples: wrong ones with the largest loss, then right ones with the narrowest margin. Runs the model over the data set, unless its predictions are already in the run folder. Takes from seconds to minutes, and asks the user for confirmation. Needs a trusted workspace.',
  icon: 'list-filter',
  tag: 'evaluation',
  effect: 'computes',
  input: {
    run: { type: 'string', description: 'Id, folder or display name of the run (default: the newest)' },
    at: {
      type: 'string',
      description: 'State of the run: best, last, or the step of a checkpoint (default: best)',
    },
    on: {
      type: 'string',
      description:
        'Data set: validation, test, or evaluations.NAME for a set of data.evaluations (default: validation)',
    },
    examples: {
      type: 'integer',
      minimum: 0,
      maximum: 50,
      description: 'Examples to list (default: 10)',
    },
  },
};

export const EXPORT_RUN: ToolDefinition = {
  reference: 'auroraExport',
  name: 'Export Run',
  description: 'Write the adapter or the trained model for other programs, and measure it',
  forModel:
    "Exports the adapter of an AuroRA run, or its whole model, into the run's folder, for other programs: adapter (PEFT's layout, as trained), peft-lora (a LoRA for PEFT), onnx-dynamic (the model as ONNX, exactly as trained), onnx-merged, onnx-adapter-inputs, safetensors (a Hugging Face folder), tensorboard (the curves alone). The exported files are run on the validation set; returns their metrics beside those of the trained model. A form that would lose more than maxDrop is not kept. Asks the user for confirmation. Needs a trusted workspace.",
  icon: 'export',
  tag: 'model',
  effect: 'computes',
  input: {
    run: { type: 'string', description: 'Id, folder or display name of the run (default: the newest)' },
    form: {
      type: 'string',
      enum: /* @__PURE__ */ formChoices(),
      description: 'Form of the export',
    },
    at: {
      type: 'string',
      description: 'State of the run: best, last, or the step of a checkpoint (default: best)',
    },
    merge: {
      type: 'string',
      enum: /* @__PURE__ */ mergeChoices(),
      description:
        "For merged forms: the linear function that replaces AuroRA's nonlinearity (default: fitted)",
    },
    maxDrop: {
      type: 'number',
      minimum: 0,
      description: 'The most that a merged form may lose, in points or percent of the metric (default: 1)',
    },
  },
  required: ['form'],
};

/** Called in the declaration, since bundles drop a pure call, but not a list that is made there. */
function formChoices(): string[] {
  return [...EXPORT_FORMS, TENSORBOARD];
}

function mergeChoices(): string[] {
  return [...MERGES];
}
