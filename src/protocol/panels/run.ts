import type { RunEvent, RunStatus } from '../events';
import type { Experiment } from '../../experiment/experiment';

/** What the Run dashboard shows: absolute paths of run folders, at least one, each once. */
export interface RunOpen {
  runs: string[];
}

/** As the tree says it; `gone` is a folder that is no longer there. */
export type RunPageState =
  'starting' | 'running' | 'finished' | 'stopped' | 'failed' | 'lost' | 'damaged' | 'gone';

/** All but the curves and the journal: small, and sent whole whenever any of it changed. */
export interface RunFacts {
  /** As it is called everywhere: by the person, else by its method and rank. */
  name: string;
  /** The folder's name. */
  id: string;
  /** The experiment's name. */
  experiment?: string;
  note?: string;
  state: RunPageState;
  spec?: Experiment;
  status?: RunStatus;
  result?: Record<string, unknown>;
  /** Steps of the checkpoints on the disk, ascending. */
  checkpoints: number[];
  error?: { message: string; hint?: string };
}

/** Records of scalars.bin from index `from` on; what the page holds from there on is replaced. */
export interface RunRecords {
  from: number;
  columns: string[];
  /** Row by row, a float64 a column. */
  values: Float64Array;
}

export interface RunUpdate {
  /** The run's folder. */
  run: string;
  facts?: RunFacts;
  records?: RunRecords;
  /** Events that count (src/runs/journal/reader.ts) from position `from` of them on. */
  events?: { from: number; list: RunEvent[] };
}

export type RunToPage =
  /** Everything: `facts`, `records` and `events` are there for each run, from 0. */
  | { type: 'snapshot'; now: number; updates: RunUpdate[] }
  /** What is new. A `from` beyond what the page has means that something was lost: it asks for a snapshot. */
  | { type: 'append'; now: number; updates: RunUpdate[] }
  /** The clipboard holds so many rows, without the line of names. */
  | { type: 'copied'; run: string; table: CsvTable; rows: number };

export const RUN_ACTIONS = [
  'stop',
  'resume',
  'activations',
  'errors',
  'playground',
  'export',
  'log',
  'settings',
  'experiment',
] as const;
export type RunAction = (typeof RUN_ACTIONS)[number];
export type CsvTable = 'records' | 'evaluations';

export type RunFromPage =
  | { type: 'snapshot' }
  | { type: 'action'; action: RunAction; run: string }
  | { type: 'fork'; run: string; step: number }
  | { type: 'compareSettings'; runs: [string, string] }
  | { type: 'copyCsv'; run: string; table: CsvTable };
