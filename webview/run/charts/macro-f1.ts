import { absentWords } from '../../../src/protocol/absent-labels';
import { t } from '../../../src/base/l10n';
import { formatCount } from '../format';
import type { RunData } from '../model';
import { hasValues, QUANTITIES, type Quantity } from '../quantities';

/**
 * What is drawn beside the loss: what a run has values of. F1 of more than two labels is macro F1, so that only one of them
 * is drawn, the one that the runs are trained for.
 */
export function drawnQuantities(runs: readonly RunData[]): Quantity[] {
  const quantities = QUANTITIES.filter((q) => runs.some((run) => hasValues(q, run)));
  const areSame = runs.every(({ started }) => started !== undefined && started.labels.length > 2);
  if (!areSame || !['f1', 'macroF1'].every((key) => quantities.some((q) => q.key === key))) return quantities;
  const wanted = runs.map(({ facts }) => facts?.spec?.training?.metric);
  const kept = wanted.includes('f1') && !wanted.includes('macroF1') ? 'f1' : 'macroF1';
  return quantities.flatMap((q) => {
    if (q.key !== 'f1' && q.key !== 'macroF1') return [q];
    if (q.key !== kept) return [];
    return [kept === 'f1' ? { ...q, title: () => t('Validation F1 (macro)') } : q];
  });
}

/** What explains a fall of macro F1: the newest evaluation with predicted labels that the data lack. */
export function chartNote({ metric, records }: Quantity, runs: readonly RunData[]): string {
  if (
    records ||
    (metric !== 'macroF1' && !(metric === 'f1' && runs.every((r) => (r.started?.labels.length ?? 0) > 2)))
  )
    return '';
  return runs
    .flatMap((run) => {
      const found = run.measured.findLast((e) => absentWords(e.metrics) !== undefined);
      if (!found) return [];
      const words = t('Step {0}: {1}', formatCount(found.step), absentWords(found.metrics)!);
      return [runs.length > 1 ? `${run.facts?.name ?? run.folder}: ${words}` : words];
    })
    .join(' ');
}
