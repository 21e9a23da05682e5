import { cautiousPercent } from '../../src/base/percent';
import { formatMetric } from '../../src/experiment/metrics';
import { accuracyOf, FEW, type Slice } from '../../src/protocol/errors-view/slices';
import { t } from '../../src/base/l10n';

/** How well slices of the examples are answered. */
export interface Measures {
  /** The columns: a number with its bar, and another number. */
  heads: readonly [string, string];
  /** Whether a long bar is a good one. */
  long: 'good' | 'bad';
  /** Below a table with a small slice. */
  few: string;
  rows: readonly Measure[];
}

export interface Measure {
  value: string;
  /** The bar's length, in [0, 1]. */
  bar: number;
  other: string;
}

/** The share of right answers, and the loss. */
export const rightMeasures = (slices: readonly Slice[]): Measures => ({
  heads: [t('Right'), t('Mean loss')],
  long: 'good',
  few: t('With fewer than {0} examples, this share is unreliable.', FEW),
  rows: slices.map((slice) => {
    const share = accuracyOf(slice);
    return { value: cautiousPercent(share), bar: share, other: formatMetric('loss', slice.loss) };
  }),
});
