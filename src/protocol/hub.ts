import type { HubKind } from '../experiment/hub-reference';
import type { StepCost } from './step-cost';

/** What `aurora get --json` prints: one object on each line. */
export type HubLine =
  | { kind: 'found'; repos: FoundRepo[] }
  | HubModel
  | HubData
  | DownloadEvent
  | { kind: 'got'; got: GotReference[] };

/** A repository as a search finds it. */
export interface FoundRepo {
  kind: HubKind;
  /** "FacebookAI/roberta-base". */
  id: string;
  /** The hub's name of the task: "fill-mask". */
  task?: string;
  licence?: string;
  /** In the last 30 days. */
  downloads: number;
  likes: number;
  /** ISO 8601. */
  changed?: string;
  /** Bytes of everything in the repository; absent where the hub does not state it. */
  size?: number;
  gated: boolean;
  private: boolean;
}

/** What a download reports. Bytes count those of all files, including what was there before. */
export type DownloadEvent =
  | { kind: 'started'; files: number; done: number; total: number }
  /** At most a few times a second. */
  | { kind: 'progress'; path: string; done: number; total: number }
  /** Another process is downloading the same file. */
  | { kind: 'waiting'; path: string }
  | { kind: 'verifying'; path: string }
  /** A request failed and will be repeated. */
  | { kind: 'retrying'; path: string; reason: string; seconds: number }
  | { kind: 'file'; path: string; size: number; cached: boolean };

/** A repository at one commit, before it is downloaded. */
export interface HubRepo {
  id: string;
  commit: string;
  task?: string;
  licence?: string;
  gated: boolean;
  private: boolean;
  /** The first lines of its card. */
  card?: string;
  /** What is downloaded. */
  files: { path: string; size: number }[];
  /** Bytes of all of them, and of those that are in the cache already. */
  size: number;
  cached: number;
  /** Where requests go: the hub or its mirror, which may redirect to its storage. */
  host: string;
}

export interface HubModel extends HubRepo {
  kind: 'model';
  verdict: ModelVerdict;
}

/** A data set's files in one of its configurations. */
export interface HubData extends HubRepo {
  kind: 'data';
  /** Empty where files were named instead, and with --show where it has to be chosen first: then there are no splits. */
  config: string;
  splits: HubSplit[];
  /** What may be chosen instead. */
  configs: string[];
}

export interface HubSplit {
  /** "train" */
  name: string;
  /** Its reference, for data.train and so on. */
  reference: string;
  files: number;
  size: number;
  /** The hub has converted only the beginning. */
  partial?: true;
}

/** What a model offers to training on this machine, from its config.json and the headers of its weights alone. */
export type ModelVerdict =
  | {
      usable: true;
      /** model_type in config.json; of an ONNX file undefined. */
      family?: string;
      parameters: number;
      /** Linear layers that can be adapted, and those that no gradient reaches. */
      layers: number;
      blocked: number;
      /** Of the usual batch and length, with a new experiment's adapter. */
      step: StepCost;
    }
  | { usable: false; problem: string; hint?: string }
  /** An ONNX file says it only as a whole. */
  | { usable: 'unknown'; problem: string };

/** What is in the cache now. */
export interface GotReference {
  /** As an experiment names it. */
  reference: string;
  /** On this machine. */
  path: string;
  /** Of data: the split, and the columns with the names of the labels where the files have them. */
  split?: string;
  columns?: { name: string; labels?: readonly string[] }[];
}
