import { shortNumber } from '../../base/number-text';
import { t } from '../../base/l10n';
import { directionsOf, effectiveRankOf } from '../geometry';
import { seedOf } from '../groups';
import type { StudyRun } from '../run';
import { meanOf } from '../statistics/summary';
import { line, marker, seriesClass, text, type Figure, type Shape } from './figure';
import { linear } from './scale';

const HEIGHT = 240;
const EDGE = { left: 52, right: 20, top: 26, bottom: 42 };
/** With more marks than this they would overlap. */
const MOST_MARKS = 16;
/** Number of values in the text alternative. */
const NAMED = 8;

/** Singular values of the merged ΔW: a thin line for each module, and their mean. */
export function spectrum(run: StudyRun, label: string, width: number): Figure | undefined {
  const modules = run.geometry?.modules ?? [];
  if (modules.length === 0) return undefined;
  const rank = Math.max(...modules.map((m) => m.values.length));
  const means = Array.from({ length: rank }, (_, k) => meanOf(modules.map((m) => m.values[k] ?? 0)));
  const bottom = HEIGHT - EDGE.bottom;
  const right = width - EDGE.right;
  const y = linear(
    modules.flatMap((m) => m.values),
    bottom,
    EDGE.top,
    { zero: true },
  );
  const x = (k: number) =>
    rank === 1 ? (EDGE.left + right) / 2 : EDGE.left + 16 + (k / (rank - 1)) * (right - EDGE.left - 32);
  const every = Math.ceil(rank / MOST_MARKS);
  const curve = (values: readonly number[]) => values.map((v, k) => [x(k), y.at(v)] as const);
  const shapes: Shape[] = [
    ...y.marks.flatMap((v) => [
      line(EDGE.left, y.at(v), right, y.at(v), 'grid'),
      text(EDGE.left - 6, y.at(v) + 4, y.text(v), 'end'),
    ]),
    ...means.flatMap((_, k) => (k % every === 0 ? [text(x(k), bottom + 16, String(k + 1), 'middle')] : [])),
    line(EDGE.left, bottom, right, bottom, 'axis'),
    text((EDGE.left + right) / 2, HEIGHT - 8, t('index of the singular value'), 'middle'),
    text(2, 14, t('singular value')),
    ...modules.map((m): Shape => ({ kind: 'path', points: curve(m.values), class: 'curve thin' })),
    ...modules.flatMap((m) =>
      m.values.map((v, k): Shape => ({ kind: 'circle', x: x(k), y: y.at(v), r: 1.5, class: 'dot thin' })),
    ),
    { kind: 'path', points: curve(means), class: `curve ${seriesClass(0)}` },
    ...means.map((v, k) => marker(0, x(k), y.at(v))),
  ];
  const effective = meanOf(modules.map(effectiveRankOf));
  return {
    width,
    height: HEIGHT,
    title: t('Singular values of the merged ΔW: {0}, seed {1}', label, seedOf(run)),
    summary: t(
      'Mean over {0} modules: {1}. The mean effective rank is {3}, out of {2} directions.',
      modules.length,
      [...means.slice(0, NAMED).map((v) => shortNumber(v)), ...(means.length > NAMED ? ['…'] : [])].join(
        ', ',
      ),
      Math.max(...modules.map(directionsOf)),
      shortNumber(effective),
    ),
    shapes,
    table: {
      head: [t('module'), ...means.map((_, k) => String(k + 1)), t('effective rank')],
      rows: modules.map((m) => [
        m.path,
        ...means.map((_, k) => (m.values[k] === undefined ? '–' : shortNumber(m.values[k]))),
        shortNumber(effectiveRankOf(m)),
      ]),
    },
  };
}
