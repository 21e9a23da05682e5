import { isCount, isText, isTexts } from '../../base/guards';
import type { RunEvent, RunStatus } from '../events';
import { isPictureName, type RunPictures } from '../run-files/pictures';
import type { RunSamples } from '../run-files/samples';
import type { Experiment } from '../../experiment/experiment';
import { parseSaveChart, type SaveChart } from './save-chart';

/** The subject of the Run dashboard: absolute paths of run folders, at least one, without duplicates. */
export interface RunOpen {
  runs: string[];
}

/** The states of the tree; `gone` is a folder that no longer exists. */
export type RunPageState =
  'queued' | 'starting' | 'running' | 'finished' | 'stopped' | 'failed' | 'lost' | 'damaged' | 'gone';

/** Everything but the curves and the journal: small, and resent completely whenever any of it changed. */
export interface RunFacts {
  /** The display name, as in the tree. */
  name: string;
  /** The folder's name. */
  id: string;
  /** The experiment's name. */
  experiment?: string;
  note?: string;
  tags?: string[];
  state: RunPageState;
  canResume: boolean;
  /** True if it cannot be resumed, but its experiment can be run again. */
  canRunAgain: boolean;
  spec?: Experiment;
  status?: RunStatus;
  result?: Record<string, unknown>;
  /** Steps of the checkpoints on disk, ascending. */
  checkpoints: number[];
  error?: { message: string; hint?: string };
}

/** Records of scalars.bin from index `from` on; they replace the page's records from there on. */
export interface RunRecords {
  from: number;
  columns: string[];
  /** Row-major, one float64 per column. */
  values: Float64Array;
}

export interface RunUpdate {
  /** The run's folder. */
  run: string;
  facts?: RunFacts;
  records?: RunRecords;
  /** Records of resources.bin, like `records`. */
  resources?: RunRecords;
  /** samples.json, whenever it changed; null once it is gone. */
  samples?: RunSamples | null;
  /** pictures/index.json, likewise. */
  pictures?: ShownPictures | null;
  /** Events that count (src/runs/journal/journal-reader.ts), from position `from` on. */
  events?: { from: number; list: RunEvent[] };
}

export interface ShownPictures {
  index: RunPictures;
  /** The address of the folder that the files are in, for the page. */
  folder: string;
}

export type RunToPage =
  /** Everything: `facts`, `records` and `events` of each run, from 0. */
  | { type: 'snapshot'; now: number; updates: RunUpdate[] }
  /** Updates. A `from` beyond the page's records means that something was lost, and the page requests a snapshot. */
  | { type: 'append'; now: number; updates: RunUpdate[] }
  /** The number of rows copied to the clipboard, excluding the header. */
  | { type: 'copied'; run: string; table: CsvTable; rows: number }
  /** A chart was saved under this name. */
  | { type: 'saved'; name: string };

export const RUN_ACTIONS = [
  'stop',
  'resume',
  'again',
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
  /** Opens a picture of the run in an editor. */
  | { type: 'openPicture'; run: string; file: string }
  | { type: 'compareSettings'; runs: [string, string] }
  | { type: 'copyCsv'; run: string; table: CsvTable }
  /** `run` is the first one in the chart. */
  | (SaveChart & { run: string });

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseRunMessage(value: unknown): RunFromPage | undefined {
  const { type, run, action, step, table, runs, file } = (value ?? {}) as Record<string, unknown>;
  if (type === 'snapshot') return { type };
  if (type === 'compareSettings')
    return isTexts(runs) && runs.length === 2 ? { type, runs: [runs[0], runs[1]] } : undefined;
  if (!isText(run)) return undefined;
  switch (type) {
    case 'action': {
      const known = RUN_ACTIONS.find((a) => a === action);
      return known && { type, action: known, run };
    }
    case 'fork':
      return isCount(step) ? { type, run, step } : undefined;
    case 'openPicture':
      return isPictureName(file) ? { type, run, file } : undefined;
    case 'copyCsv':
      return table === 'records' || table === 'evaluations' ? { type, run, table } : undefined;
    case 'saveChart': {
      const chart = parseSaveChart(value as Record<string, unknown>);
      return chart && { ...chart, run };
    }
    default:
      return undefined;
  }
}

/** Parses the subject of a panel that a reload restores. */
export function parseRunOpen(value: unknown): RunOpen | undefined {
  const { runs } = (value ?? {}) as Record<string, unknown>;
  return isTexts(runs) && runs.length > 0 ? { runs: [...new Set(runs)] } : undefined;
}
