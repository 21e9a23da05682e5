import { html, nothing } from 'lit';
import { t } from '../../../src/base/l10n';
import type { LabelModel } from '../model';
import { rightMeasures } from '../measures';
import { sliceTable, type SliceRow } from '../slices';

/** Labels shown by default. */
const FIRST_LABELS = 10;

export function labelTable(
  { labels, worst, byLabel }: LabelModel,
  chosen: number | undefined,
  all: boolean,
  act: { choose(label: number): void; showAll(all: boolean): void },
) {
  const shown = all ? worst : worst.slice(0, FIRST_LABELS);
  const measures = rightMeasures(shown.map((label) => byLabel[label]));
  const rows = shown.map((label, i): SliceRow => ({
    name: labels[label],
    count: byLabel[label].count,
    measure: measures.rows[i],
    chosen: label === chosen,
    choose: () => act.choose(label),
  }));
  return sliceTable(
    'labels',
    t('By true label, worst first'),
    t('Label'),
    measures,
    rows,
    worst.length > FIRST_LABELS
      ? html`<button class="link" aria-expanded=${all ? 'true' : 'false'} @click=${() => act.showAll(!all)}>
          ${all ? t('Show the {0} worst', FIRST_LABELS) : t('Show all {0} labels', worst.length)}
        </button>`
      : nothing,
  );
}
