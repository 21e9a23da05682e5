/** Pages may import these: shared by both sides of every process boundary, and independent of Node and VS Code. */
export const PURE = ['base', 'experiment', 'protocol', 'study'];

/** A model in memory, and operations on it. */
const MODEL = ['files', 'graph', 'adapters'];

/** Training, peft and quantize may import these. */
const BELOW_TRAINING = [
  ...PURE,
  ...MODEL,
  'hub',
  'architectures',
  'data',
  'recipes',
  'tasks',
  'engine',
  'runs',
  'executors',
];

const TRAINING = [...BELOW_TRAINING, 'peft', 'quantize'];

/** Imports go one way (CONTRIBUTING.md): the folders of src, each with those that it may import. */
export const FOLDERS = {
  base: [],
  experiment: ['base'],
  protocol: ['base', 'experiment'],
  study: ['base', 'experiment', 'protocol'],
  // The experiment's references to the hub are paths in its cache.
  files: ['base', 'experiment'],
  hub: ['base', 'experiment', 'protocol', 'files'],
  graph: ['base', 'files'],
  architectures: ['base', 'files', 'graph'],
  table: ['base', 'experiment', 'files'],
  data: ['base', 'experiment', 'protocol', 'files', 'graph', 'table'],
  adapters: ['base', 'experiment', 'protocol', 'files', 'graph'],
  recipes: ['base', 'experiment', 'files', 'adapters'],
  tasks: ['base', 'experiment', 'protocol', ...MODEL, 'data'],
  engine: ['base', 'experiment', 'protocol', ...MODEL, 'tasks'],
  runs: [...PURE, 'files'],
  executors: ['base', 'experiment', 'protocol', 'files', 'runs'],
  peft: BELOW_TRAINING,
  quantize: BELOW_TRAINING,
  training: TRAINING,
  exports: [...TRAINING, 'training'],
  inference: [...TRAINING, 'training'],
  checks: [...TRAINING, 'training'],
  sweeps: [...TRAINING, 'training'],
  'gpu-support': [...TRAINING, 'training'],
  // The work of the tools for language models, of which the editor and the cli are two front ends.
  tools: [...PURE, 'files', 'adapters', 'runs', 'executors'],
  cli: [...TRAINING, 'training', 'exports', 'inference', 'checks', 'sweeps', 'gpu-support', 'tools'],
  demo: ['base', 'files', 'graph'],
  // The host loads no runtime and no model: it calls the trainer program.
  extension: [...PURE, ...MODEL, 'table', 'recipes', 'runs', 'executors', 'tools'],
};
