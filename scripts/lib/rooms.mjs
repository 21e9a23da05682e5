/**
 * Imports go one way (CONTRIBUTING.md): each folder of src names those that it may import, and what it needs besides.
 * Pages and both sides of every process boundary share the pure ones, which know neither Node nor VS Code.
 */
export const ROOMS = {
  experiment: [],
  shared: ['experiment'],
  files: ['shared'],
  graph: ['shared', 'files'],
  data: ['experiment', 'shared', 'files', 'graph'],
  adapters: ['experiment', 'shared', 'files', 'graph'],
  recipes: ['experiment', 'shared', 'adapters'],
  tasks: ['experiment', 'shared', 'files', 'graph', 'data', 'adapters'],
  engine: ['experiment', 'shared', 'files', 'graph', 'adapters', 'tasks'],
  runs: ['experiment', 'shared', 'files', 'graph'],
  trainer: [
    'experiment',
    'shared',
    'files',
    'graph',
    'data',
    'adapters',
    'recipes',
    'tasks',
    'engine',
    'runs',
  ],
  cli: [
    'experiment',
    'shared',
    'files',
    'graph',
    'data',
    'adapters',
    'recipes',
    'tasks',
    'engine',
    'runs',
    'trainer',
  ],
  demo: ['shared', 'files', 'graph'],
  // The host loads no runtime and no model: it asks the trainer program.
  extension: ['experiment', 'shared', 'files', 'graph', 'adapters', 'recipes', 'runs'],
};
/** What pages may import. */
export const PURE = ['experiment', 'shared'];
