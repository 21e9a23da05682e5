import type { ModelSummary } from '../../graph/summary';

/**
 * What a model file offers to adapters, from `aurora inspect --json` (our own parser in a separate process without the
 * runtime: safe on any file). Cached in globalStorage by the file's path, size and modification time.
 */
export interface ModelInspector {
  inspect(modelPath: string): Promise<ModelSummary>;
  /** Only from the cache. */
  cached(modelPath: string): ModelSummary | undefined;
}
