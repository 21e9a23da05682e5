import type { HubKind } from '../experiment/hub-reference';
import type { StepCost } from './step-cost';

/** The output of `aurora get --json`: one object on each line. */
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

/** The reports of a download. Bytes count those of all files, including those that were there before. */
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
  /** The files to download. */
  files: { path: string; size: number }[];
  /** Bytes of all of them, and of those that are in the cache already. */
  size: number;
  cached: number;
  /** The host of the requests: the hub or its mirror, which may redirect to its storage. */
  host: string;
}

export interface HubModel extends HubRepo {
  kind: 'model';
  verdict: ModelVerdict;
}

/** A data set's files in one of its configurations. */
export interface HubData extends HubRepo {
  kind: 'data';
  /** Empty if files were named instead, and with --show where it has to be chosen first: then the splits are empty. */
  config: string;
  splits: HubSplit[];
  /** The configurations to choose from. */
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

/** The fitness of a model for training on this machine, from its config.json and the headers of its weights alone. */
export type ModelVerdict =
  | {
      usable: true;
      /** model_type in config.json; of an ONNX file undefined. */
      family?: string;
      parameters: number;
      /** Linear layers that can be adapted, and those that no gradient reaches. */
      layers: number;
      blocked: number;
      /** The cost of a step with the usual batch and length, and a new experiment's adapter. */
      step: StepCost;
    }
  | { usable: false; problem: string; hint?: string }
  /** An ONNX file states it only as a whole. */
  | { usable: 'unknown'; problem: string };

/** A reference that is now in the cache. */
export interface GotReference {
  /** The reference as an experiment names it. */
  reference: string;
  /** On this machine. */
  path: string;
  /** For data: the split, and the columns with the names of the labels where the files have them. */
  split?: string;
  columns?: { name: string; labels?: readonly string[] }[];
}
