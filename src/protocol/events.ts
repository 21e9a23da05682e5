import type { AbsentLabels } from './absent-labels';
import type { CombinationRecord } from './combination-record';
import type { TargetScale } from './outputs';
import type { Preparing } from './preparing';
import type { RanksEvent } from './ranks';
import type { MetricName } from '../experiment/metrics';

/** The infrequent events of a run, one JSON object per line in events.jsonl. Readers ignore unknown kinds. */
export const EVENT_VERSION = 1;

export interface EventBase {
  v: number;
  /** Position in the journal: zero-based, without gaps. */
  seq: number;
  /** Milliseconds since 1970. */
  t: number;
  /** The writer: the start of the nonce of the run's owner. Absent if nothing owns the folder. */
  w?: string;
  /** Only in the first line of an owner that ended another one's claim: the other owner, whose lines end here. */
  after?: string;
}

/** The loss and the metrics of the kind of task. */
export type EvaluationMetrics = Partial<Record<MetricName, number>> & {
  loss: number;
  examples: number;
  /** If they change macro F1. */
  absentLabels?: AbsentLabels;
};

/** An evaluation's result; 'diverged' if a logit or the loss was not finite. */
export type Evaluated = EvaluationMetrics | 'diverged';

/** An evaluation of a diverged model: never the best, and excluded from averages and charts. */
export interface DivergedEvaluation {
  kind: 'diverged-evaluation';
  step: number;
  epoch: number;
  /**
   * `non-finite`: a logit, the loss or a parameter was NaN or infinite, which ends the run. `exploded`: all were
   * finite, but the loss was far above that of guessing (src/training/loop/divergence.ts); training may recover.
   */
  reason: 'non-finite' | 'exploded';
  seconds: number;
  /** Only for an exploded one. */
  metrics?: EvaluationMetrics;
  form?: 'static';
}

/**
 * The best adapter's score on a file that training did not see, after the last step: data.test, or one of
 * data.evaluations. A resume revokes it at any step, and evaluates again.
 */
export interface TestEvaluation {
  kind: 'test-evaluation';
  /** The step of the best evaluation, whose adapter this is. */
  step: number;
  /** The name in data.evaluations; left out for data.test. */
  set?: string;
  metrics: Evaluated;
  seconds: number;
  form?: 'static';
}

/**
 * The cost of `model.quantize` on the validation data, measured after the last step. A resume revokes it at any step,
 * and measures again.
 */
export interface QuantizationCost {
  /** The step of the best evaluation. */
  step: number;
  bits: 4 | 8;
  /** The model that was evaluated: the model before training, or, with a trained head, the best adapter on it. */
  of: 'model' | 'adapter';
  /** On the quantized weights. */
  quantized: Evaluated;
  /** On the weights as they are in the file, in float32. */
  float32: Evaluated;
}

/**
 * The cause of an early stop: the user; its window, by closing; its sweep, to compare it with other trials (`rung`) or
 * after that (`pruned`); or a cluster's scheduler (`preempted`), which starts it again.
 */
export type StopReason = 'requested' | 'window-closed' | 'rung' | 'pruned' | 'preempted';

/** First line of a fork: the events up to `fromStep` were copied from the original run. */
export interface ForkedEvent {
  kind: 'forked';
  /** The other run's id, which is the name of its folder beside this one. */
  fromRun: string;
  fromStep: number;
  /** Settings by dotted key; a side is omitted if the setting was not given. */
  changed: { key: string; from?: unknown; to?: unknown }[];
}

/**
 * First line of an imported run, which was not trained here: it starts with an adapter from disk, or a combination of
 * several, as step 0.
 */
export interface ImportedEvent {
  kind: 'imported';
  /** The name of the adapter's folder; of a combination, those of all adapters. */
  adapter: string;
  /** The type as stated in its configuration. */
  peftType: string;
  combination?: CombinationRecord;
}

/**
 * The requested device of a run: its first line, or its first after `forked`, so that a run killed before it found its
 * device continues as intended.
 */
export interface RequestedEvent {
  kind: 'requested';
  engine: string;
  /** 'auto', one device, or several to measure between. */
  device: string | string[];
  fallBack: boolean;
}

/** The device of a run, and why: requested, measured fastest, or fallback. */
export interface DeviceEvent {
  kind: 'device';
  step: number;
  engine: string;
  device: string;
  reason: 'chosen' | 'fastest' | 'only' | 'fallback' | 'resumed';
  /** The places that were tried for "auto" or before a fallback: seconds per step, or the error. */
  tried: {
    engine: string;
    device: string;
    secondsPerStep?: number;
    problem?: string;
    /** The machine has no such device. */
    missing?: true;
  }[];
}

/** A file's role in a run. A model's data files are those that store its weights. */
export type InputRole =
  'model' | 'model-data' | 'tokenizer' | 'preprocessor' | 'train' | 'validation' | 'test' | 'evaluation';

/** A file that differs from the one that a run was trained on: SHA-256 of both, null if there is or was no file. */
export interface InputChange {
  role: InputRole;
  path: string;
  /** An image that the data of this role name. */
  image?: true;
  /** Further images of the same data that differ and are not listed. */
  more?: number;
  before: string | null;
  after: string | null;
}

/** The user continued the run although these files had changed. */
export interface InputsAcceptedEvent {
  kind: 'inputs-accepted';
  /** The last step that was trained on the original files. */
  step: number;
  files: InputChange[];
  /** Number of examples from here on. */
  trainExamples: number;
  validationExamples: number;
}

/** The unit of batches: the examples of the training data, or the rows into which they are packed. */
export const batched = ({
  trainExamples,
  packedRows,
}: {
  trainExamples: number;
  packedRows?: number;
}): number => packedRows ?? trainExamples;

/**
 * The conditions that are watched for during training. Each alarm is raised once per run; docs/alarms.md has the
 * thresholds.
 */
export const ALARMS = [
  'loss-above-start',
  'loss-jump',
  'gradient-explosion',
  'non-finite',
  'overfitting',
  'no-better-than-baseline',
  'plateau',
  'saturation',
  'outside-support',
] as const;
export type AlarmKind = (typeof ALARMS)[number];

/** An alarm with its numbers, in the unit of the watched quantity: a loss, a norm, a metric, a share of 1. */
export interface Alarm {
  alarm: AlarmKind;
  /** The optimizer step after which it was observed. */
  step: number;
  /** The last step before the trouble began, as far as known: a fork starts from a checkpoint up to there. */
  since: number;
  /** Left out if it is not a finite number. */
  value?: number;
  /** The limit that `value` has passed. */
  threshold?: number;
  /** The value that the threshold was computed from: an earlier loss or norm, or the baseline's result. */
  reference?: number;
  /** The metric of `value`, where it is one. */
  metric?: MetricName;
  /** The best answer that ignores the input, such as: always "ham". */
  answer?: string;
  /** The quantity that is not finite. */
  what?: string;
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
        /** The rows into which these are packed (training.packing); batches are made of them. */
        packedRows?: number;
        validationExamples: number;
        labels: string[];
        scale?: TargetScale;
        modules: string[];
        trainable: number;
        trainableHead: number;
        /** The state of the repository that the run folder is in, if there is one. */
        git?: GitState;
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
        /** For the form in training: when that changes, the search for the best starts again. */
        best: boolean;
        seconds: number;
        /** Set once training.staticEpochs has reached the static form. */
        form?: 'static';
      }
    | DivergedEvaluation
    | (Alarm & { kind: 'alarm' })
    | TestEvaluation
    | (QuantizationCost & { kind: 'quantization-cost'; seconds: number })
    /** Everything before this tensor was computed once for all trials of a sweep; `found`: by another trial. */
    | { kind: 'reused'; upTo: string; found: boolean }
    | RanksEvent
    | { kind: 'checkpoint'; step: number; path: string }
    | { kind: 'activations'; step: number; path: string }
    /** The method has changed how many ranks are in use, of those of all layers together. */
    | { kind: 'rank-budget'; step: number; kept: number; of: number }
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

/** Columns of scalars.bin, each a float64; one record per optimizer step. */
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

/** status.json: which process writes this run, and when it was last alive. */
export interface RunStatus {
  pid: number;
  nonce: string;
  host: string;
  /** Identify the process beyond its PID (files/processes.ts); absent from older files. */
  boot?: string;
  pidNamespace?: string;
  started?: number;
  state: RunState;
  step: number;
  steps: number;
  startedAt: number;
  heartbeat: number;
  /** Before the first step, and while an evaluation writes answers. */
  preparing?: Preparing;
}

/** The code and settings that a run was started with. */
export interface GitState {
  /** The hash of the commit that was checked out. */
  commit: string;
  /** True if no tracked file differed from it. */
  clean: boolean;
}
