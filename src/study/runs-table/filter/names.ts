import { nearest } from '../../../base/nearest';
import { t } from '../../../base/l10n';
import type { Column } from '../table';

/** Other names of columns. */
const ALIASES: Readonly<Record<string, string>> = {
  tag: 'tags',
  starred: 'star',
  run: 'name',
  lr: 'training.learningRate',
};

/**
 * The place of the column with that name: its key, without regard to case; an alias; or the end of exactly one
 * setting's key ("rank" for adapter.rank). Otherwise the mistake in the name.
 */
export function columnNamed(columns: readonly Column[], name: string): number | string {
  const wanted = name.toLowerCase();
  const exact = columns.findIndex(({ key }) => key.toLowerCase() === wanted);
  if (exact >= 0) return exact;
  const ends = columns.flatMap(({ key }, at) => (key.toLowerCase().endsWith(`.${wanted}`) ? [at] : []));
  // The last or test value of a metric is named by its whole key.
  const settings = ends.filter((at) => columns[at].kind === 'setting');
  if (settings.length === 1) return settings[0];
  if (settings.length > 1)
    return t(
      '"{0}" could be {1}; write the whole name.',
      name,
      settings.map((at) => columns[at].key).join(t(' or ')),
    );
  const alias = Object.hasOwn(ALIASES, wanted) ? columns.findIndex(({ key }) => key === ALIASES[wanted]) : -1;
  if (alias >= 0) return alias;
  const near = nearest(name, [
    ...columns.map(({ key }) => key),
    ...columns.map(({ key }) => key.split('.').at(-1)!),
    ...Object.keys(ALIASES),
  ]);
  return near === undefined
    ? t('There is no column "{0}".', name)
    : t('There is no column "{0}". Did you mean "{1}"?', name, near);
}
