import { AuroraError } from '../../base/errors';
import type { Model } from '../../graph/model';

/** @throws AuroraError 'model' if an exported component does not have these outputs */
export function requireOutputs(model: Model, path: string, outputs: readonly string[]): Model {
  const names = model.graph.outputs.map((o) => o.name);
  const missing = outputs.find((name) => !names.includes(name));
  if (missing === undefined) return model;
  throw new AuroraError(
    'model',
    `${path} has no output ${missing}, only ${names.join(', ')}.`,
    'Export the pipeline again with a current version of Optimum, or use the folder that it was exported from.',
  );
}
