import { gathered } from '../../base/gathered';
import { t } from '../../base/l10n';
import { percent, rateNumber } from '../../base/number-text';
import type { Share } from '../../protocol/nonlinearity';
import type { Group } from '../groups';
import { summarize } from '../statistics/summary';
import type { Section } from '../study';
import { frame } from './bars';
import { type Figure, lyingWhisker, marker, text } from './figure';

interface GroupShare {
  label: string;
  /** Runs with a share. */
  runs: number;
  share: Share | { value: number };
  linear: boolean;
}

/**
 * The share of the gain that is lost when σ is replaced by its linear fit, over methods, ranks and learning rates, chosen
 * or not: the mean over seeds with its interval by Student's t, or one run's own. Undefined before a method with σ was
 * measured.
 */
export function sigmaShares({ groups }: Section, width: number): Figure | undefined {
  const tried = gathered(groups, ({ family }) => family);
  const known = groups.flatMap((group) => {
    const found = shareOf(group);
    const withRate = group.chosen && tried.get(group.family)!.length > 1;
    return found ? [withRate ? { ...found, label: rateLabel(group) } : found] : [];
  });
  if (known.every(({ linear }) => linear)) return undefined;
  const ends = known.flatMap(({ share }) => ('low' in share ? [share.low, share.high] : [share.value]));
  const fr = frame(
    known.map(({ label }) => label),
    ends.map((v) => 100 * v),
    t('% of the gain, on validation examples'),
    width,
    true,
  );
  const x = (v: number) => fr.scale.at(100 * v);
  return {
    width,
    height: fr.height,
    title: t('Share of the gain that needs σ'),
    summary: known.map(({ label, share }) => t('{0}: {1}', label, shareText(share.value))).join('; '),
    shapes: [
      ...fr.shapes,
      ...known.flatMap(({ share, linear }, i) => [
        ...('low' in share ? lyingWhisker(fr.y(i), x(share.low), x(share.high)) : []),
        marker(linear ? 5 : 0, x(share.value), fr.y(i)),
        ...(linear ? [text(x(0) + 10, fr.y(i) + 4, t('linear'), 'start', 'label')] : []),
      ]),
    ],
    table: {
      head: [t('group'), t('runs'), t('share of the gain that needs σ'), t('95% interval')],
      rows: known.map(({ label, runs, share, linear }) => [
        label,
        String(runs),
        linear ? t('0% (linear)') : shareText(share.value),
        'low' in share ? `${shareText(share.low)} … ${shareText(share.high)}` : '–',
      ]),
    },
  };
}

/** The name of a chosen group leaves out its learning rate, which is an axis here. */
const rateLabel = ({ label, learningRate }: Group): string =>
  t('{0}, learning rate {1}', label, rateNumber(learningRate));

const shareText = (share: number): string => percent(share).replace('-', '−');

/** Undefined if no run was measured, or none gains clearly. */
function shareOf({ label, runs }: Group): GroupShare | undefined {
  const known = runs.flatMap(({ nonlinearity }) => nonlinearity ?? []);
  if (known.length > 0 && known.every(({ linear }) => linear))
    return { label, runs: known.length, share: { value: 0 }, linear: true };
  const shares = known.flatMap(({ share }) => share ?? []);
  if (shares.length === 0) return undefined;
  if (shares.length === 1) return { label, runs: 1, share: shares[0], linear: false };
  const { mean, half } = summarize(shares.map(({ value }) => value));
  const share = { value: mean, low: mean - half!, high: mean + half! };
  return { label, runs: shares.length, share, linear: false };
}
