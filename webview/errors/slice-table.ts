import { html, nothing, svg } from 'lit';
import { t } from '../../src/base/l10n';
import { count, cautiousPercent } from '../../src/base/number-text';
import { formatMetric } from '../../src/experiment/metrics';
import { accuracyOf, FEW, type LengthBin, type Slice } from '../../src/protocol/answers/slices';
import type { Model } from './errors-model';

/** The quality of the answers in slices of the examples. */
export interface Measures {
  /** The columns: a number with its bar, and another number. */
  heads: readonly [string, string];
  /** The meaning of a long bar. */
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

export interface SliceRow {
  name: string;
  count: number;
  measure: Measure;
  chosen: boolean;
  choose(): void;
  note?: string;
}

export const binName = ({ from, to }: LengthBin): string =>
  from === to ? t('{0} tokens', count(from)) : t('{0} to {1} tokens', count(from), count(to));

export function lengthTable(
  { bins, byLength }: Model,
  measures: Measures,
  chosen: number | undefined,
  choose: (bin: number) => void,
) {
  // Images, and texts of the same length.
  if (bins.length < 2) return nothing;
  const rows = bins.map((bin, i): SliceRow => {
    const { count: texts, cut } = byLength[i];
    const note = cut === 0 ? undefined : cut === texts ? t('all truncated') : t('{0} truncated', count(cut));
    return {
      name: binName(bin),
      count: texts,
      measure: measures.rows[i],
      chosen: i === chosen,
      choose: () => choose(i),
      note,
    };
  });
  const cut = byLength.some((s) => s.cut > 0);
  return sliceTable(
    'lengths',
    t('By length'),
    t('Length'),
    measures,
    rows,
    cut
      ? html`<p class="note">
          ${t('Texts longer than model.maxLength are truncated: the model does not see the rest.')}
        </p>`
      : nothing,
  );
}

export function sliceTable(
  id: string,
  heading: string,
  name: string,
  { heads: [first, second], long, few }: Measures,
  rows: readonly SliceRow[],
  below: unknown,
) {
  return html`<section aria-labelledby="${id}-title">
    <h2 id="${id}-title">${heading}</h2>
    <div class="scroll">
      <table class="slices" data-table=${id} aria-labelledby="${id}-title">
        <thead>
          <tr>
            <th scope="col">${name}</th>
            <th scope="col" class="number">${t('Examples')}</th>
            <th scope="col" colspan="2">${first}</th>
            <th scope="col" class="number">${second}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => sliceRow(row, long))}
        </tbody>
      </table>
    </div>
    ${rows.some((row) => row.count < FEW) ? html`<p class="note">${few}</p>` : nothing} ${below}
  </section>`;
}

const sliceRow = ({ name, count: texts, measure, chosen, choose, note }: SliceRow, long: Measures['long']) =>
  html`<tr class=${chosen ? 'chosen' : ''}>
    <th scope="row">
      <button class="link name" aria-pressed=${chosen ? 'true' : 'false'} @click=${choose}>${name}</button>
      ${note ? html`<small>${note}</small>` : nothing}
    </th>
    <td class="number">${count(texts)}</td>
    <td class="number">
      ${measure.value} ${texts < FEW ? html`<small>${t('too few to tell')}</small>` : nothing}
    </td>
    <td class=${long === 'bad' ? 'bar bad' : 'bar'}>${bar(measure.bar)}</td>
    <td class="number">${measure.other}</td>
  </tr>`;

export const bar = (share: number) =>
  html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class="track" width="100" height="8" /><rect class="fill" width=${100 * share} height="8" />`}
  </svg>`;
