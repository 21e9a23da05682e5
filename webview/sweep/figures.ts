import type { PageTrial } from '../../src/protocol/panels/sweep';
import type { Figure } from '../../src/study/figures/figure';
import { parallelFigure as drawn } from '../../src/study/sweep/sweep-figures';
import { parallelLayout } from '../../src/study/sweep/parallel';
import { t } from '../../src/base/l10n';
import type { Shown } from './model';

/** In pixels of a saved file. */
const WIDTH = 900;
const HEIGHT = 360;

/** Parallel coordinates to save, of the trials that are in view. */
export const parallelFigure = ({ all, facts, shade }: Shown, kept: readonly PageTrial[]): Figure =>
  drawn(
    parallelLayout(all, WIDTH, HEIGHT),
    kept,
    ({ metric }) => (metric === undefined ? undefined : shade(metric)),
    t('Sweep of {0}', facts.experiment),
  );
