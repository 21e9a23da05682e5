import { t } from '../../base/l10n';
import { percent, shortNumber } from '../../base/number-text';
import { directionsOf, effectiveRankOf } from '../geometry';
import { seedOf } from '../groups';
import { meanOf } from '../statistics/summary';
import type { StudyRun } from '../study-run';
import { type Figure, line, linear, marker, seriesClass, type Shape, text } from './figure';

const PATH_HEIGHT = 260;
const EDGE = { left: 52, right: 20, top: 26, bottom: 42 };

/** The path of a run's ΔW in its first two principal components: the paper's Figure 2. */
export function deltaPath(run: StudyRun, label: string, width: number): Figure | undefined {
  const { geometry } = run;
  if (!geometry || geometry.path.length < 3) return undefined;
  const { path, shares } = geometry;
  const bottom = PATH_HEIGHT - EDGE.bottom;
  const x = linear(
    path.map((p) => p.x),
    EDGE.left,
    width - EDGE.right,
  );
  const y = linear(
    path.map((p) => p.y),
    bottom,
    EDGE.top,
  );
  const shapes: Shape[] = [
    ...y.marks.flatMap((v) => [
      line(EDGE.left, y.at(v), width - EDGE.right, y.at(v), 'grid'),
      text(EDGE.left - 6, y.at(v) + 4, y.text(v), 'end'),
    ]),
    ...x.marks.map((v) => text(x.at(v), bottom + 16, x.text(v), 'middle')),
    line(EDGE.left, bottom, width - EDGE.right, bottom, 'axis'),
    text(
      (EDGE.left + width - EDGE.right) / 2,
      PATH_HEIGHT - 8,
      t('first component ({0} of the variance)', percent(shares[0], 0)),
      'middle',
    ),
    text(2, 14, t('second component ({0})', percent(shares[1], 0))),
    {
      kind: 'path',
      points: path.map((p) => [x.at(p.x), y.at(p.y)] as const),
      class: `curve ${seriesClass(0)}`,
    },
    ...path.map((p) => marker(0, x.at(p.x), y.at(p.y), 3)),
    ...named(path).map(({ x: px, y: py, step }) => {
      const at = x.at(px);
      const anchor = at < EDGE.left + 40 ? 'start' : at > width - EDGE.right - 40 ? 'end' : 'middle';
      return text(at, y.at(py) - 8, t('step {0}', step), anchor, 'label');
    }),
  ];
  return {
    width,
    height: PATH_HEIGHT,
    title: t('Merged ΔW over training: {0}, seed {1}', label, seedOf(run)),
    summary: t(
      'The first two principal components of the merged ΔW explain {0} and {1} of its variance over {2} checkpoints.',
      percent(shares[0], 0),
      percent(shares[1], 0),
      path.length,
    ),
    shapes,
    table: {
      head: [t('step'), t('first component'), t('second component')],
      rows: path.map((p) => [String(p.step), shortNumber(p.x), shortNumber(p.y)]),
    },
  };
}

/** Only first, middle and last are labeled: more labels would overlap. */
function named<T>(all: readonly T[]): T[] {
  return [...new Set([0, all.length >> 1, all.length - 1])].map((i) => all[i]);
}

const SPECTRUM_HEIGHT = 240;
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
  const bottom = SPECTRUM_HEIGHT - EDGE.bottom;
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
    text((EDGE.left + right) / 2, SPECTRUM_HEIGHT - 8, t('index of the singular value'), 'middle'),
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
    height: SPECTRUM_HEIGHT,
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
