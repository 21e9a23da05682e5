/** Names that package.json and the code share; a test keeps them in sync. */
export const COMMAND = {
  getStarted: 'aurora.getStarted',
  runDemo: 'aurora.runDemo',
  runImageDemo: 'aurora.runImageDemo',
  runLanguageDemo: 'aurora.runLanguageDemo',
  newExperiment: 'aurora.newExperiment',
  newExperimentFromModel: 'aurora.newExperimentFromModel',
  getModel: 'aurora.getModel',
  getData: 'aurora.getData',
  downloadExperiment: 'aurora.downloadExperiment',
  signIn: 'aurora.signIn',
  signOut: 'aurora.signOut',
  runExperiment: 'aurora.runExperiment',
  runSweep: 'aurora.runSweep',
  runSweepOn: 'aurora.runSweepOn',
  showClusterLog: 'aurora.showClusterLog',
  stopSweep: 'aurora.stopSweep',
  resumeSweep: 'aurora.resumeSweep',
  openSweep: 'aurora.openSweep',
  studySweep: 'aurora.studySweep',
  revealSweep: 'aurora.revealSweep',
  deleteSweep: 'aurora.deleteSweep',
  compareMethods: 'aurora.compareMethods',
  preflight: 'aurora.preflight',
  showPreflight: 'aurora.showPreflight',
  openBudget: 'aurora.openBudget',
  estimateStep: 'aurora.estimateStep',
  showModelReport: 'aurora.showModelReport',
  runQueued: 'aurora.runQueued',
  removeQueued: 'aurora.removeQueued',
  continueQueue: 'aurora.continueQueue',
  stopRun: 'aurora.stopRun',
  resumeRun: 'aurora.resumeRun',
  dismissInterrupted: 'aurora.dismissInterrupted',
  forkRun: 'aurora.forkRun',
  openRun: 'aurora.openRun',
  compareRuns: 'aurora.compareRuns',
  openActivations: 'aurora.openActivations',
  openErrors: 'aurora.openErrors',
  openStudy: 'aurora.openStudy',
  openRunsTable: 'aurora.openRunsTable',
  compareSettings: 'aurora.compareSettings',
  openSettings: 'aurora.openSettings',
  useSettings: 'aurora.useSettings',
  showDifference: 'aurora.showDifference',
  renameRun: 'aurora.renameRun',
  editNote: 'aurora.editNote',
  editTags: 'aurora.editTags',
  starRun: 'aurora.starRun',
  unstarRun: 'aurora.unstarRun',
  revealRun: 'aurora.revealRun',
  copyPath: 'aurora.copyPath',
  openInTerminal: 'aurora.openInTerminal',
  deleteRun: 'aurora.deleteRun',
  restoreRun: 'aurora.restoreRun',
  showLog: 'aurora.showLog',
  copyDiagnostics: 'aurora.copyDiagnostics',
  openExperiment: 'aurora.openExperiment',
  duplicateExperiment: 'aurora.duplicateExperiment',
  refresh: 'aurora.refresh',
  filterRuns: 'aurora.filterRuns',
  clearFilter: 'aurora.clearFilter',
  sortRuns: 'aurora.sortRuns',
  checkMachine: 'aurora.checkMachine',
  installGpuSupport: 'aurora.installGpuSupport',
  removeGpuSupport: 'aurora.removeGpuSupport',
  verifyEngines: 'aurora.verifyEngines',
  exportRun: 'aurora.exportRun',
  publishAdapter: 'aurora.publishAdapter',
  openCard: 'aurora.openCard',
  importAdapter: 'aurora.importAdapter',
  openPlayground: 'aurora.openPlayground',
} as const;

/** Language model tools; package.json describes them for the model. */
export const TOOL = {
  inspectModel: 'aurora_inspect_model',
  preflight: 'aurora_preflight',
  runExperiment: 'aurora_run_experiment',
  followRun: 'aurora_follow_run',
  compareRuns: 'aurora_compare_runs',
  explainRun: 'aurora_explain_run',
} as const;

/** The dashboards: each has a page webview/<name>, and package.json activates the extension to restore it. */
export const PANELS = [
  'run',
  'runs',
  'sweep',
  'budget',
  'activations',
  'errors',
  'playground',
  'study',
] as const;

/** Not in the palette: called from the extension's own UI. */
export const INTERNAL = {
  showExperiment: '_aurora.showExperiment',
  showMoreRuns: '_aurora.showMoreRuns',
  bringCheckpoints: '_aurora.bringCheckpoints',
  openDataRow: '_aurora.openDataRow',
} as const;

/** Also passed to the command when a row is clicked: focus stays in the tree, so that F2 and Delete act on the row. */
export const FROM_ROW = 'row';

export const VIEW = {
  experiments: 'aurora.experiments',
  models: 'aurora.models',
  machine: 'aurora.machine',
} as const;

/** Used in `when` clauses of package.json. */
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

export const SETTING = {
  nodePath: 'nodePath',
  threads: 'threads',
  keepRunsAfterClose: 'keepRunsAfterClose',
  engine: 'engine',
  device: 'device',
  fallBackToCpu: 'fallBackToCpu',
  cluster: 'cluster',
} as const;
