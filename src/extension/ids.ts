import type texts from '../../package.nls.json';

/** The keys of the texts that `npm run build` collects: one for each name that is declared (manifest/declared.ts). */
type Keys = keyof typeof texts;
export type CommandName = Keys extends infer K ? (K extends `command.${infer Name}` ? Name : never) : never;

/** The ids of the declared commands, by name. */
export const COMMAND = new Proxy({} as { readonly [Name in CommandName]: `aurora.${Name}` }, {
  get: (_, name) => `aurora.${String(name)}`,
});

/** Not in the palette: called from the extension's own UI. */
export const INTERNAL = {
  showExperiment: '_aurora.showExperiment',
  showMoreRuns: '_aurora.showMoreRuns',
  bringCheckpoints: '_aurora.bringCheckpoints',
  openDataRow: '_aurora.openDataRow',
} as const;

/** Also passed to the command when a row is clicked: focus stays in the tree, so that F2 and Delete act on the row. */
export const FROM_ROW = 'row';

/** Used in `when` clauses. */
export const CONTEXT = {
  loaded: 'aurora.loaded',
  hasExperiments: 'aurora.hasExperiments',
  hasRuns: 'aurora.hasRuns',
  hasRunning: 'aurora.hasRunning',
  hasRunningSweep: 'aurora.hasRunningSweep',
  filtered: 'aurora.filtered',
  /** Runs of an earlier window wait for the user's agreement. */
  queueHeld: 'aurora.queueHeld',
  machineKnown: 'aurora.machineKnown',
  /** Something was got from the hub. */
  hubUsed: 'aurora.hubUsed',
  demoRan: 'aurora.demoRan',
  experimentMade: 'aurora.experimentMade',
  activationsSeen: 'aurora.activationsSeen',
  budgetSeen: 'aurora.budgetSeen',
  /** Paths of the workspace's folders that are models. */
  modelFolders: 'aurora.modelFolders',
  /** GPU support is installed, so it can be removed. */
  gpuSupport: 'aurora.gpuSupport',
} as const;

export const LANGUAGE = 'aurora-experiment';
