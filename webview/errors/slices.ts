import { html, nothing, svg } from 'lit';
import { accuracyOf, FEW, type LengthBin, type Slice } from '../../src/protocol/errors-view/slices';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { count, loss } from './format';
import type { CommonModel } from './model';

export interface SliceRow {
  name: string;
  slice: Slice;
  chosen: boolean;
  choose(): void;
  note?: string;
}

export const binName = ({ from, to }: LengthBin): string =>
  from === to ? t('{0} tokens', count(from)) : t('{0} to {1} tokens', count(from), count(to));

export function lengthTable(
  { bins, byLength }: CommonModel,
  chosen: number | undefined,
  choose: (bin: number) => void,
) {
  const rows = bins.map((bin, i): SliceRow => {
    const slice = byLength[i];
    const { cut } = slice;
    const note =
      cut === 0 ? undefined : cut === slice.count ? t('all truncated') : t('{0} truncated', count(cut));
    return { name: binName(bin), slice, chosen: i === chosen, choose: () => choose(i), note };
  });
  const cut = byLength.some((s) => s.cut > 0);
  return sliceTable(
    'lengths',
    t('By length'),
    t('Length'),
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
            <th scope="col" class="number">${t('Texts')}</th>
            <th scope="col" colspan="2">${t('Right')}</th>
            <th scope="col" class="number">${t('Mean loss')}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(sliceRow)}
        </tbody>
      </table>
    </div>
    ${
      rows.some(({ slice }) => slice.count < FEW)
        ? html`<p class="note">
            ${t('With fewer than {0} texts the share that is right may as well be chance.', FEW)}
          </p>`
        : nothing
    }
    ${below}
  </section>`;
}

const sliceRow = ({ name, slice, chosen, choose, note }: SliceRow) =>
  html`<tr class=${chosen ? 'chosen' : ''}>
    <th scope="row">
      <button class="link name" aria-pressed=${chosen ? 'true' : 'false'} @click=${choose}>${name}</button>
      ${note ? html`<small>${note}</small>` : nothing}
    </th>
    <td class="number">${count(slice.count)}</td>
    <td class="number">
      ${cautiousPercent(accuracyOf(slice))}
      ${slice.count < FEW ? html`<small>${t('too few to tell')}</small>` : nothing}
    </td>
    <td class="bar">${shareBar(accuracyOf(slice))}</td>
    <td class="number">${loss(slice.loss)}</td>
  </tr>`;

export const shareBar = (share: number) =>
  html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class="track" width="100" height="8" /><rect class="fill" width=${100 * share} height="8" />`}
  </svg>`;
