import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Activation, MethodName, TrainedSpec } from '../../../experiment/methods';
import type { ObjectiveName, TrainingLoss } from '../../../tasks/objective';
import type { Pooling } from '../../../tasks/head';
import type { Model } from '../../../graph/model';
import type { TaskGraphSpec } from '../../../tasks/task-graph';
import type { Tolerances } from './tolerance';

export interface DenseArray {
  dims: number[];
  data: number[];
}

export interface StepFields {
  inputs: Record<string, DenseArray>;
  labels: DenseArray;
  loss: number;
  /** Only if the case has a `trainingLoss`. */
  evaluationLoss?: number;
  gradients: Record<string, DenseArray>;
}

/** A file of test/fixtures/reference: PyTorch's float64 results for a small model (see the README there). */
export interface ReferenceCase extends StepFields {
  model: string;
  objective: ObjectiveName;
  trainingLoss?: TrainingLoss;
  head: { pooling: Pooling; weight: string; bias: string } | null;
  adapter: MethodName;
  hyper: Record<string, unknown>;
  targets: string[];
  modules: string[];
  trainable: Record<string, DenseArray>;
  logits: DenseArray;
  mergedDelta: Record<string, DenseArray>;
  /** Only of adapters that change weight and bias. */
  mergedBiasDelta?: Record<string, DenseArray>;
  /** The reason if PEFT cannot merge the method; nothing merged is then in the file. */
  mergeRefused?: string;
  /** Logits of the merged model, at the initial values. */
  mergedLogits?: DenseArray;
  /** Only if a step's loss has a penalty: the loss without it. */
  taskLoss?: number;
  adamw: TrainingFields & {
    /** The values that a method prunes, if it does. */
    afterEachStep?: { E: Record<string, number[]> }[];
  };
  /** LoRA-FA's own optimizer in this training, from the initial values. */
  loraFaOptimizer?: TrainingFields & { trained: Record<string, DenseArray>; logits: DenseArray };
  trainedNorms: Record<string, number>;
  /** The values after training, where the file has them. */
  trained?: Record<string, DenseArray>;
  /** `logits` are those with the adapter. */
  afterTraining: { mergedLogits: DenseArray; logits?: DenseArray };
  otherShapes: StepFields[];
  /** Replaces tolerances of the device. */
  tolerance?: Partial<Tolerances>;
}

export interface AnlCase {
  gridSize: number;
  splineOrder: number;
  gridRange: [number, number];
  activation: Activation;
  fixed: boolean;
  learnable: boolean;
  H: DenseArray;
  W: DenseArray;
  z: DenseArray;
  bases: DenseArray;
  sigma: DenseArray;
  weight: DenseArray;
  gradZ: DenseArray;
  gradH?: DenseArray;
  gradW?: DenseArray;
}

interface TrainingFields {
  lr: number;
  betas: [number, number];
  eps: number;
  weightDecay: number;
  lossBeforeEachStep: number[];
  finalLoss: number;
}

/** A case on its model, ready to run: its tensors and modules have their names in the graph. */
export interface CaseSubject {
  case: ReferenceCase;
  /** At the internal opset. */
  model: Model;
  task: TaskGraphSpec;
  /** Names of all tensors of the adapters and of the head. */
  parameters: Map<string, Float32Array>;
}

export type ReferenceFile =
  | { kind: 'model'; path: string; modelPath: string; case: ReferenceCase }
  | { kind: 'anl'; path: string; cases: AnlCase[] };

/** Reads a reference file. Each field is checked where it is compared. */
export function readReference(path: string): ReferenceFile {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(withoutNaN(readFileSync(path, 'utf8'))) as Record<string, unknown>;
  } catch (e) {
    throw new AuroraError('usage', `${path} cannot be read as a reference file: ${(e as Error).message}`);
  }
  if (Array.isArray(json.cases)) return { kind: 'anl', path, cases: json.cases as AnlCase[] };
  if (typeof json.model !== 'string')
    throw new AuroraError('usage', `${path} is not a reference file: it has neither "model" nor "cases".`);
  const modelPath = join(dirname(path), json.model);
  return { kind: 'model', path, modelPath, case: json as unknown as ReferenceCase };
}

/** Python writes NaN and Infinity, which JSON lacks. As null, they are reported with their field. */
const withoutNaN = (text: string): string => text.replace(/(?<=[[:,\s])-?(?:NaN|Infinity)\b/g, 'null');

/** A case as the adapter section of an experiment. */
export function adapterSpec({ adapter, hyper, targets }: ReferenceCase): TrainedSpec {
  const { scale, ...own } = hyper as { rank: number; scale?: number };
  return {
    ...own,
    ...(scale !== undefined && { alpha: scale * own.rank, useRslora: false }),
    method: adapter,
    targetModules: targets,
    dropout: 0,
  } as TrainedSpec;
}
