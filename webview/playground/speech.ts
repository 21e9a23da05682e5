import type { PlaygroundView } from '../../src/protocol/panels/playground-view';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { nameOf, type Column } from './columns';
import { ranked, tokens } from './format';

/** The screen reader announcement for an answer, once it is complete. */
export function speech({ busy, request }: PlaygroundView, columns: readonly Column[]): string {
  if (busy) return '';
  const said = columns.flatMap((c) => {
    const { answer } = c;
    if (answer?.request !== request) return [];
    const { prediction, generated } = answer;
    if (generated) return [t('{0} wrote {1}.', nameOf(c), tokens(generated.tokens))];
    if (!prediction) return [];
    const best = ranked(prediction)[0];
    return [
      t(
        '{0}: {1}, {2}.',
        nameOf(c),
        c.subject.facts!.labels[best],
        cautiousPercent(prediction.probabilities[best]),
      ),
    ];
  });
  return said.join(' ');
}
