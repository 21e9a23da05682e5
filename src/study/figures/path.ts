import { shortNumber } from '../../base/number-text';
import { percent } from '../../base/percent';
import { t } from '../../base/l10n';
import type { StudyRun } from '../run';
import { seedOf } from '../groups';
import { line, marker, seriesClass, text, type Figure, type Shape } from './figure';
import { linear } from './scale';

const HEIGHT = 260;
const EDGE = { left: 52, right: 20, top: 26, bottom: 42 };

/** The path of a run's ΔW in its first two principal components: the paper's Figure 2. */
export function deltaPath(run: StudyRun, label: string, width: number): Figure | undefined {
  const { geometry } = run;
  if (!geometry || geometry.path.length < 3) return undefined;
  const { path, shares } = geometry;
  const bottom = HEIGHT - EDGE.bottom;
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
      HEIGHT - 8,
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
    height: HEIGHT,
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
