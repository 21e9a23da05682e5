import type { ModelSummary } from '../../graph/summary';

/**
 * What a model file offers to adapters, asked of `aurora inspect --json` (our own parser in its own
 * process, no runtime: safe on any file) and cached in globalStorage by the file's path, size and time.
 */
export interface ModelInspector {
  inspect(modelPath: string): Promise<ModelSummary>;
  /** Only what the cache has. */
  cached(modelPath: string): ModelSummary | undefined;
}
