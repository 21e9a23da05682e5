import { AuroraError } from '../base/errors';
import type { OpenedModel } from './model';

/**
 * The labels of a classifier with the given number of outputs, and the assumptions about them. Our own adapters include
 * them; otherwise they come from config.json beside the model.
 *
 * @throws AuroraError 'model' for a model with one output, or none
 */
export function classifierLabels(
  { path, adapter, files }: Pick<OpenedModel, 'path' | 'adapter' | 'files'>,
  count: number,
): { labels: string[]; assumed: string[] } {
  if (count < 2)
    throw new AuroraError(
      'model',
      `${path} gives ${count === 1 ? 'one number' : 'no number'} for each input; a classifier gives one for each of its labels.`,
      'The playground cannot show a regression model without a run.',
    );
  const own = adapter?.own?.labels;
  if (own?.length === count) return { labels: [...own], assumed: [] };
  const named = (files.config.id2label ?? {}) as Record<string, unknown>;
  const known = Object.keys(named).length;
  const labels = Array.from({ length: count }, (_, i) => named[i]);
  if (known === count && labels.every((l) => typeof l === 'string')) return { labels, assumed: [] };
  const why =
    known === 0
      ? 'No config.json with label names was found next to the model'
      : `config.json names ${known} labels, but the model has ${count}`;
  return { labels: labels.map((_, i) => String(i)), assumed: [`${why}; label indices are shown instead.`] };
}
