import { isText, isTexts } from '../../base/guards';
import type { MetricName } from '../../experiment/metrics';
import { parseSaveChart, type SaveChart } from './save-chart';
import type { Pruning, RateSearch, SweepSpec } from '../../experiment/sweep';

/** The subject of the Sweep page: the absolute path of a sweep's folder. */
export interface SweepOpen {
  sweep: string;
}

/** The queue's state; `gone`: the sweep was deleted. */
export type QueueState = 'running' | 'finished' | 'stopped' | 'failed' | 'lost' | 'gone';

/**
 * `queued`: not started; with `cluster`, in the cluster's queue. `preempted`: it saved, and is in the queue again. `waiting` for the other trials at a comparison; `pruned` after one; `passed-over`: never started, since its learning
 * rate lost the search; `dropped`: the sweep section no longer has it.
 */
export type PageTrialState =
  | 'queued'
  | 'preempted'
  | 'starting'
  | 'running'
  | 'waiting'
  | 'stopped'
  | 'lost'
  | 'finished'
  | 'diverged'
  | 'failed'
  | 'damaged'
  | 'pruned'
  | 'passed-over'
  | 'dropped';

/** Everything but the trials. */
export interface SweepFacts {
  /** The sweep's folder. */
  folder: string;
  /** On a cluster: "Slurm on login.example.org". */
  on?: string;
  /** The reason why the view of the cluster may be out of date: it does not answer, or nobody asks it. */
  notice?: string;
  /** The experiment's name in the tree. */
  experiment: string;
  /** The start of the sweep's id, as in the tree. */
  id: string;
  state: QueueState;
  /** The reason why it is incomplete, if the user has to decide. */
  ended?: string;
  type: SweepSpec['type'];
  metric: MetricName;
  /** Dotted keys that differ between trials, in the order of the file. */
  varied: string[];
  /** Dotted keys whose values were drawn on a logarithmic scale. */
  logarithmic: string[];
  /** Trials that train in parallel; undefined before the machine was measured. */
  parallel?: number;
  pruning?: Pruning;
  search?: RateSearch;
  /** True if it can be started or continued here. */
  canResume: boolean;
  /** True if trials are in a cluster's queue that can be cancelled here. */
  canStop?: boolean;
}

export interface PageTrial {
  id: string;
  /** Starting at 1; its place in the sweep. */
  number: number;
  /** The number of its run, once it has one: #12. */
  runNumber?: number;
  /** The usual name: "#12 rank 4", or "Trial 3 · rank 4" before its run has a number. */
  name: string;
  /**
   * The settings that the trial changes, and the experiment's values of those that others change, as far as known, by
   * dotted key.
   */
  settings: Record<string, unknown>;
  state: PageTrialState;
  /** The folder of its run, once that exists. */
  run?: string;
  /** The commands for the run, as in the tree. */
  can: string[];
  step: number;
  /** 0 until the trainer has determined it. */
  steps: number;
  /** 0 until the trainer has determined it. */
  epochs: number;
  /** The best value of the sweep's metric, and the loss of that evaluation; not of a diverged trial. */
  metric?: number;
  loss?: number;
  /**
   * The times when it trained, in ms since 1970, from its journal: one interval for each start; the last may be
   * growing.
   */
  spans: (readonly [from: number, to: number])[];
  /** The evaluations that were better than all of the trial's before: ms since 1970, and the metric. */
  improved: (readonly [at: number, value: number])[];
  /** Alarms and diverged evaluations, which its state alone hides: "9 evaluations diverged, 2 alarms". */
  alarms?: string;
  /** The reason why it failed. */
  error?: string;
  /** For a trial on a cluster: the reason why it waits, the place where it runs, or the end of its job. */
  cluster?: string;
}

export type SweepToPage =
  /** Everything. */
  | { type: 'sweep'; facts: SweepFacts; trials: PageTrial[] }
  /** The changes since the last message. The trials replace those with the same id. */
  | { type: 'changes'; facts?: SweepFacts; trials: PageTrial[] }
  | { type: 'error'; message: string };

export const SWEEP_ACTIONS = ['stop', 'resume', 'study', 'experiment', 'delete'] as const;
export type SweepAction = (typeof SWEEP_ACTIONS)[number];

export type SweepFromPage =
  | { type: 'action'; action: SweepAction }
  /** Opens a trial's dashboard. */
  | { type: 'open'; run: string }
  /** Overlays the curves of trials. */
  | { type: 'compare'; runs: string[] }
  | { type: 'copy'; text: string }
  | SaveChart;

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseSweepMessage(value: unknown): SweepFromPage | undefined {
  const { type, action, run, runs, text } = (value ?? {}) as Record<string, unknown>;
  switch (type) {
    case 'action': {
      const known = SWEEP_ACTIONS.find((a) => a === action);
      return known && { type, action: known };
    }
    case 'open':
      return isText(run) ? { type, run } : undefined;
    case 'compare':
      return isTexts(runs) && runs.length > 1 ? { type, runs } : undefined;
    case 'copy':
      return isText(text) ? { type, text } : undefined;
    case 'saveChart':
      return parseSaveChart(value as Record<string, unknown>);
    default:
      return undefined;
  }
}

/** Parses the subject of a panel that a reload restores. The host checks that the path is absolute. */
export function parseSweepOpen(value: unknown): SweepOpen | undefined {
  const { sweep } = (value ?? {}) as Record<string, unknown>;
  return isText(sweep) ? { sweep } : undefined;
}
