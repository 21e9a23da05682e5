import type { Claim } from '../../experiment/claim';
import type { Experiment } from '../../experiment/experiment';
import type { MetricValue } from '../../experiment/metrics';
import type { Settings } from '../../experiment/sweep';
import type { PreflightProblem } from '../../protocol/preflight';
import type { LookPlan } from './look-plan';
import type { Needed } from './needed';
import type { Finding, LookResult } from './verdict';

/** frozen.json: everything that decides a claim, before the first trial. Its SHA-256 names the claim. */
export interface FrozenClaim {
  version: 1;
  claim: Claim;
  /** With all defaults; paths are relative to the experiment file, or references to the hub. */
  experiment: Omit<Experiment, 'name'>;
  files: FrozenFile[];
  looks: readonly LookPlan[];
}

/** A file of the model or the data. */
export interface FrozenFile {
  role: string;
  path: string;
  /** Null for a file that was looked for and not there. */
  sha256: string | null;
  /** SHA-256 of the images that a data file names. */
  images?: string;
}

/** certificate.json: a closed claim. The same runs always give the same bytes. */
export interface Certificate {
  version: 1;
  /** The claim in words. */
  sentence: string;
  /** SHA-256 of `frozen`, as sorted JSON. */
  hash: string;
  frozen: FrozenClaim;
  seeds: { search: number[]; test: number[] };
  /** In the order of `claim.methods`. */
  methods: MethodResult[];
  runs: CertifiedRun[];
  /** The looks that were taken. */
  looks: Look[];
  verdict: Finding;
  /** False if the metric's verdict holds for these examples only. */
  generalizes: boolean;
  /** Seeds or examples that would decide an undecided claim. */
  needed?: Needed;
  leftOut: LeftOutRun[];
}

export interface MethodResult {
  label: string;
  /** Trained parameters of the adapters. */
  parameters: number;
  /** The search in the order of its trials. */
  tried: Tried[];
  /** The values with the best mean, which the test uses. */
  chosen: Settings;
}

/** One combination of the searched values. */
export interface Tried {
  values: Settings;
  /** The metric's mean over the seeds of the search. */
  mean: MetricValue;
}

/** A run that the verdict follows from. */
export interface CertifiedRun {
  phase: 'search' | 'test';
  method: number;
  values: Settings;
  seed: number;
  /** The name of its folder. */
  run: string;
  /** The step that was measured. */
  step: number;
  /** SHA-256 of its experiment, with the names of files in place of their paths. */
  spec: string;
  /** SHA-256 of the adapter at that step. */
  adapter: string;
  /** By form; of the search, the metric at the last evaluation. */
  results: Partial<Record<'trained' | 'fitted', RunResult>>;
}

export interface RunResult {
  value: number;
  examples: number;
  /** SHA-256 of the value and of the numbers for each example. */
  sha256: string;
}

/** All opponents after a number of seeds. */
export interface Look {
  seeds: number;
  /** One-sided, before it is divided between several opponents. */
  level: number;
  /** In the order of the opponents. */
  results: LookResult[];
  verdict: Finding;
}

export interface LeftOutRun {
  phase: 'search' | 'test';
  method: number;
  values: Settings;
  seed: number;
  run: string;
  why: 'diverged';
}

/** The output of `aurora claim --json`, between the lines of its sweeps (`aurora sweep --json`). */
export type ClaimLine =
  | { kind: 'frozen'; sentence: string; hash: string; folder: string }
  /**
   * Seconds of a run of each method, and trials and seconds of everything: with the first look, and at most. On a cluster,
   * nothing is measured: there are neither runs nor seconds.
   */
  | { kind: 'cost'; runs: { label: string; seconds: number }[]; least: ClaimCost; most: ClaimCost }
  /** A phase begins; `round` counts the extensions of the search, `seeds` those of the test. */
  | { kind: 'phase'; phase: 'search' | 'test'; round?: number; seeds?: number }
  | { kind: 'searched'; method: number; label: string; tried: Tried[]; chosen: Settings }
  | { kind: 'measuring'; run: string; done: number; of: number }
  | { kind: 'look'; look: Look }
  | { kind: 'result'; certificate: Certificate; folder: string }
  | PreflightProblem;

/** The output of `aurora claim --check --json`: each run before it is checked, then the result. */
export type CheckLine =
  | { kind: 'checking'; run: string; done: number; of: number }
  | { kind: 'checked'; faults: CertificateFault[] };

/** A part of a certificate that does not follow from the run folders. */
export interface CertificateFault {
  /** The name of a run's folder; undefined for the certificate itself. */
  run?: string;
  message: string;
}

export interface ClaimCost {
  runs: number;
  /** One run after another. */
  seconds?: number;
}
