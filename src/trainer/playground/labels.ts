import { AuroraError } from '../../base/errors';
import type { OpenedModel } from './model';

/**
 * The labels of a classifier that gives so many numbers, and what had to be assumed of them. Our own adapters bring
 * theirs along; else config.json beside the model has them.
 *
 * @throws AuroraError 'model' for a model that gives one number, or none
 */
export function classifierLabels(
  { path, adapter, files }: Pick<OpenedModel, 'path' | 'adapter' | 'files'>,
  count: number,
): { labels: string[]; assumed: string[] } {
  if (count < 2)
    throw new AuroraError(
      'model',
      `${path} gives ${count === 1 ? 'one number' : 'no number'} for each input; a classifier gives one for each of its labels.`,
      'The playground has nothing to show of a regression.',
    );
  const own = adapter?.own?.labels;
  if (own?.length === count) return { labels: [...own], assumed: [] };
  const named = (files.config.id2label ?? {}) as Record<string, unknown>;
  const known = Object.keys(named).length;
  const labels = Array.from({ length: count }, (_, i) => named[i]);
  if (known === count && labels.every((l) => typeof l === 'string')) return { labels, assumed: [] };
  const why =
    known === 0
      ? 'No config.json beside the model names its labels'
      : `config.json names ${known} labels, and the model gives ${count}`;
  return { labels: labels.map((_, i) => String(i)), assumed: [`${why}: they go by their numbers.`] };
}
