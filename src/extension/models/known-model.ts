import type * as vscode from 'vscode';
import type { Inspection } from '../../adapters/inspection';
import type { ModelSummary } from '../../graph/summary';
import type { StepCost } from '../../protocol/step-cost';
import type { InputFile, UnusableInput } from './input-files';

/** The subject of an estimate; a new experiment's adapter if none is given. */
export interface StepChoice {
  batch: number;
  length: number;
  method?: string;
  /** True if a new head is trained, and the output for it; as the model suggests if omitted. */
  head?: boolean;
  output?: string;
  rank?: number;
  /** Names, separated by commas, or all-linear. */
  targets?: string;
}

/** The report of `aurora inspect` on a model. */
export type KnownModel = ModelSummary & Partial<Inspection>;

/**
 * The parts of a model that adapters can use, from `aurora inspect --json` (our own parser in a separate process
 * without the runtime: safe on any file). Cached in globalStorage by the path, size and modification time of its files.
 */
export interface ModelInspector {
  inspect(modelPath: string): Promise<KnownModel>;
  /** Only from the cache. */
  cached(modelPath: string): KnownModel | undefined;
  /** Tokenizers and preprocessors of these that training refuses. */
  unusable(files: readonly InputFile[]): Promise<UnusableInput[]>;
  /** The unusable inputs that are known without waiting. */
  cachedUnusable(files: readonly InputFile[]): UnusableInput[];
  /**
   * All of it for a choice of batch, length and method; not cached. Rejects with an AuroraError that explains why the model
   * cannot be used.
   */
  look(modelPath: string, choice: Partial<StepChoice>, token?: vscode.CancellationToken): Promise<Inspection>;
  /** The cost of a training step on this machine; not cached. */
  estimate(modelPath: string, choice: StepChoice): Promise<StepCost>;
  /** The costs for several batches and lengths, all lengths of the first batch first. */
  estimates(
    modelPath: string,
    choice: Omit<StepChoice, 'batch' | 'length'>,
    sizes: { batches: readonly number[]; lengths: readonly number[] },
  ): Promise<StepCost[]>;
}
