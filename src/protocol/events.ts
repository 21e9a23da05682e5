import type { MetricName } from '../experiment/metrics';

/** The rare things of a run, one JSON object a line in events.jsonl. Readers ignore kinds they do not know. */
export const EVENT_VERSION = 1;

export interface EventBase {
  v: number;
  /** Position in the journal, from 0, without gaps. */
  seq: number;
  /** Milliseconds since 1970. */
  t: number;
  /** Who wrote it: the beginning of the nonce of the run's owner; absent from older journals. */
  w?: string;
  /** The first line of an owner that ended another one's claim: whose lines end here. */
  after?: string;
}

export interface EvaluationMetrics extends Record<MetricName, number> {
  examples: number;
}

/** What an evaluation found; 'diverged' where a logit or the loss was not finite. */
export type Evaluated = EvaluationMetrics | 'diverged';

/** An evaluation of a model that has diverged: never the best, in no average, and in no chart. */
export interface DivergedEvaluation {
  kind: 'diverged-evaluation';
  step: number;
  epoch: number;
  /**
   * `non-finite`: a logit, the loss or a parameter was NaN or infinite, which ends the run. `exploded`: all of them
   * were finite, but the loss was far above that of guessing (src/trainer/loop/divergence.ts); training may recover.
   */
  reason: 'non-finite' | 'exploded';
  seconds: number;
  /** Of an exploded one. */
  metrics?: EvaluationMetrics;
  form?: 'static';
}

/**
 * Who ended a run before its end: a person; the window that it belonged to, by closing; or its sweep, to compare it with
 * other trials (`rung`) or after that (`pruned`).
 */
export type StopReason = 'requested' | 'window-closed' | 'rung' | 'pruned';

/** First line of a fork: what follows up to `fromStep` was copied from the run it began as. */
export interface ForkedEvent {
  kind: 'forked';
  /** The other run's id, the name of its folder beside this one. */
  fromRun: string;
  fromStep: number;
  /** Settings by dotted key; a side is left out where the setting was not given. */
  changed: { key: string; from?: unknown; to?: unknown }[];
}

/** First line of a run that was not trained here: it begins with an adapter from the disk, as its step 0. */
export interface ImportedEvent {
  kind: 'imported';
  /** The name of the adapter's folder. */
  adapter: string;
  /** As its configuration says it. */
  peftType: string;
}

/**
 * Where somebody wants a run to compute: its first line, or its first after `forked`, so that a run that was killed
 * before it had found its device goes on as it was meant to.
 */
export interface RequestedEvent {
  kind: 'requested';
  engine: string;
  /** 'auto', one device, or several to measure between. */
  device: string | string[];
  fallBack: boolean;
}

/** Where a run computes, and why there: asked for, measured fastest, or what it fell back to. */
export interface DeviceEvent {
  kind: 'device';
  step: number;
  engine: string;
  device: string;
  reason: 'chosen' | 'fastest' | 'only' | 'fallback' | 'resumed';
  /** What was tried for "auto" or before a fallback: seconds a step, or why not. */
  tried: { engine: string; device: string; secondsPerStep?: number; problem?: string }[];
}

/** What a file is to a run. The data files of a model are those that it keeps its weights in. */
export type InputRole = 'model' | 'model-data' | 'tokenizer' | 'train' | 'validation';

/** A file that is not what a run was trained on: SHA-256 of both, null where there is or was no file. */
export interface InputChange {
  role: InputRole;
  path: string;
  before: string | null;
  after: string | null;
}

/** Somebody continued the run though these files had changed. */
export interface InputsAcceptedEvent {
  kind: 'inputs-accepted';
  /** The last step that was trained on the files as they were. */
  step: number;
  files: InputChange[];
  /** Examples from here on. */
  trainExamples: number;
  validationExamples: number;
}

export type RunEvent = EventBase &
  (
    | RequestedEvent
    | DeviceEvent
    | {
        kind: 'started';
        pid: number;
        steps: number;
        epochs: number;
        trainExamples: number;
        validationExamples: number;
        labels: string[];
        modules: string[];
        trainable: number;
        trainableHead: number;
      }
    | ForkedEvent
    | ImportedEvent
    | InputsAcceptedEvent
    | { kind: 'resumed'; fromStep: number; pid: number; warnings: string[] }
    | {
        kind: 'evaluation';
        step: number;
        epoch: number;
        metrics: EvaluationMetrics;
        /** Of the form that is being trained: the best is looked for anew when that changes. */
        best: boolean;
        seconds: number;
        /** Where training.staticEpochs has come to its static form. */
        form?: 'static';
      }
    | DivergedEvaluation
    /** What lies before this tensor was computed once for all trials of a sweep; `found`: by another one. */
    | { kind: 'reused'; upTo: string; found: boolean }
    | { kind: 'checkpoint'; step: number; path: string }
    | { kind: 'activations'; step: number; path: string }
    | { kind: 'warning'; message: string }
    | { kind: 'stopped'; step: number; reason: StopReason | 'early-stopping' }
    | { kind: 'failed'; step: number; error: string; message: string; hint?: string }
    | {
        kind: 'finished';
        step: number;
        best: EvaluationMetrics & { step: number };
        last: EvaluationMetrics;
        seconds: number;
      }
  );

export type NewEvent<T = RunEvent> = T extends RunEvent ? Omit<T, keyof EventBase> : never;

/** Columns of scalars.bin, each a float64, one record an optimizer step. */
export const SCALAR_COLUMNS = [
  'step',
  'time',
  'loss',
  'learningRate',
  'gradientNorm',
  'examples',
  'tokens',
  'seconds',
  'memory',
] as const;
export type ScalarColumn = (typeof SCALAR_COLUMNS)[number];

export type RunState = 'running' | 'finished' | 'stopped' | 'failed';

/** status.json: who writes this run, and when it was last alive. */
export interface RunStatus {
  pid: number;
  nonce: string;
  host: string;
  /** These say which process it is beyond its number (files/processes.ts); absent from older files. */
  boot?: string;
  pidNamespace?: string;
  started?: number;
  state: RunState;
  step: number;
  steps: number;
  startedAt: number;
  heartbeat: number;
}
