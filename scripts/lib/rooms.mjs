/** What pages may import: shared by both sides of every process boundary, and independent of Node and VS Code. */
export const PURE = ['base', 'experiment', 'protocol', 'study'];

/** A model in memory, and operations on it. */
const MODEL = ['files', 'graph', 'adapters'];

const TRAINER = [
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

/** Imports go one way (CONTRIBUTING.md): the folders of src, each with those that it may import. */
export const ROOMS = {
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
  trainer: TRAINER,
  cli: [...TRAINER, 'trainer'],
  demo: ['base', 'files', 'graph'],
  // The host loads no runtime and no model: it calls the trainer program.
  extension: [...PURE, ...MODEL, 'table', 'recipes', 'runs', 'executors'],
};
