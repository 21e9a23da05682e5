import { html, nothing } from 'lit';
import { deltaFigures, FIGURES, figureOf, type FigureName } from '../../src/study/figures/all';
import { hasGeometry } from '../../src/study/geometry';
import type { PageStudy } from '../../src/study/page-study';
import type { Section } from '../../src/study/study';
import { groupTable, rateTable } from '../../src/study/study-report';
import { comparisonWords, examplesText, sectionNotes } from '../../src/study/study-words';
import { t } from '../../src/base/l10n';
import { dataTable } from './figure-view';
import { isHeadAlone, isNonlinear, isSubject } from '../../src/experiment/methods';

interface SectionActions {
  /** Shows ΔW of another group. */
  delta(section: Section, label: string): void;
  measure(): void;
}

/** A figure that can be drawn at one width can be drawn at any. */
const ANY_WIDTH = 640;

/** One data set: its groups, the differences and how certain they are, and the figures. */
export function sectionView(
  study: PageStudy,
  section: Section,
  delta: string | undefined,
  act: SectionActions,
) {
  const { metric } = study;
  const groups = groupTable(section, metric);
  const rates = rateTable(section, metric);
  const drawn = FIGURES.filter((name) => figureOf(name, section, metric, ANY_WIDTH));
  return html`<section class="data" aria-label=${section.name}>
    <h2>${section.name}</h2>
    <p class="note">${examplesText(section)}</p>
    ${dataTable(groups, t('Groups of {0}', section.name))}
    ${groups.same ? html`<p class="note" data-fact="same">${groups.same}</p>` : nothing}
    ${differences(study, section)}
    <div class="figures">
      ${drawn.map(
        (name) =>
          html`<aurora-study-figure
            data-figure=${name}
            .draw=${(width: number) => figureOf(name, section, metric, width)}
          ></aurora-study-figure>`,
      )}
    </div>
    ${FIGURES.filter((name) => !drawn.includes(name)).map((name) => html`<p class="note">${instead(name, section)}</p>`)}
    ${deltas(section, delta, act)}
    ${
      rates
        ? html`<h3>${t('Learning rates')}</h3>
            ${dataTable(rates, t('Learning rates'))}`
        : nothing
    }
    <details class="notes">
      <summary>${t('How to read the numbers')}</summary>
      <ul>
        ${sectionNotes(section, study).map((note) => html`<li>${note}</li>`)}
      </ul>
    </details>
  </section>`;
}

function differences(study: PageStudy, section: Section) {
  if (section.comparisons.length === 0)
    return html`<p class="note">
      ${t('There is only one group, so there is nothing to compare it with. Train another method or setting with the same seeds.')}
    </p>`;
  return html`<h3>${t('Differences from {0}', section.reference)}</h3>
    <ul class="differences">
      ${section.comparisons.map((c) => html`<li>${comparisonWords(c, study)}</li>`)}
    </ul>`;
}

/** The reason why there is no figure, and the next step. */
function instead(name: FigureName, { groups }: Section): string {
  if (name === 'ranks') return t('Rank sweep: no method was trained with two or more ranks.');
  if (name === 'ablations')
    return t(
      'Ablations: there are no two variants with the same method and rank. Train one with a changed setting.',
    );
  // Missing measurements are reported at the top, with a button.
  if (name === 'merged')
    return groups.some((g) => !isHeadAlone(g))
      ? t('As trained and merged: the merged forms have not been measured yet.')
      : '';
  if (name === 'nonlinearity')
    return groups.some((g) => g.runs.some((r) => isNonlinear(r.spec.adapter)))
      ? t('Share of the gain that needs σ: not measured yet.')
      : '';
  return name === 'time'
    ? t('Time per step: not recorded in these runs.')
    : t('Peak memory: not recorded in these runs.');
}

function deltas(section: Section, wanted: string | undefined, act: SectionActions) {
  const low = section.groups.filter((g) => g.chosen && hasGeometry(g));
  if (low.length === 0) return nothing;
  const known = low.filter((g) => g.runs.some((r) => r.geometry));
  const title = html`<h3>${t('Changes to the weights')}</h3>`;
  if (known.length === 0)
    return html`${title}
      <p class="note">
        ${t('The principal components and singular values of ΔW have not been computed yet.')}
        <button class="link" @click=${() => act.measure()}>${t('Measure')}</button>
      </p>`;
  const { label } = known.find((g) => g.label === wanted) ?? known.find(isSubject) ?? known[0];
  return html`${title}
    <p>
      <label
        >${t('Group')}
        <select
          data-field="delta"
          @change=${(e: Event) => act.delta(section, (e.currentTarget as HTMLSelectElement).value)}
        >
          ${known.map((g) => html`<option value=${g.label} ?selected=${g.label === label}>${g.label}</option>`)}
        </select>
      </label>
    </p>
    <div class="figures">
      ${[0, 1].map(
        (i) =>
          html`<aurora-study-figure
            data-figure=${i === 0 ? 'path' : 'spectrum'}
            .draw=${(width: number) => deltaFigures(section, label, width)[i]}
          ></aurora-study-figure>`,
      )}
    </div>`;
}
