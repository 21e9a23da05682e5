import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import { t } from '../../src/base/l10n';
import { formatMetric, metricInfo, type MetricName } from '../../src/experiment/metrics';
import type {
  Checked,
  ClaimFacts,
  ClaimFromPage,
  ClaimOpen,
  ClaimToPage,
  TestRow,
} from '../../src/study/claim/claim-messages';
import {
  endsPart,
  frozenParts,
  leftOutParts,
  lookSentence,
  methodParts,
  type NamedClaim,
  searchParts,
} from '../../src/study/claim/claim-report';
import { looksFigure } from '../../src/study/claim/looks-figure';
import { trialWord } from '../sweep/sweep-model';
import { connect, post } from '../ui/host';
import { header } from './claim-header';
import { reportView, withCode } from './report-view';

const say = (message: ClaimFromPage): void => post(message);

/** A claim: what is claimed, how far its test is, and the verdict with all that it follows from. */
export class ClaimPage extends LitElement {
  @state() private facts: ClaimFacts | undefined;
  @state() private checked: Checked | undefined;
  @state() private error: string | undefined;

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<ClaimOpen, ClaimToPage>(
      () => this.requestUpdate(),
      (message) => {
        if (message.type === 'error') this.error = message.message;
        else if (message.type === 'checked') this.checked = message.checked;
        else [this.error, this.facts] = [undefined, message.facts];
      },
    );
    // Comes from the table of values below the figure.
    this.addEventListener('copy-csv', (e) => say({ type: 'copy', text: (e as CustomEvent<string>).detail }));
  }

  protected override render(): TemplateResult {
    const { facts, error, checked } = this;
    const problem = error === undefined ? nothing : html`<p class="error" role="alert">${error}</p>`;
    if (!facts)
      return html`${problem}${error === undefined ? html`<p class="note" role="status">${t('Reading the claim…')}</p>` : nothing}`;
    return html`${problem} ${header(facts, checked, (action) => say({ type: 'action', action }))}
    ${facts.frozen ? sections(facts, facts.frozen) : nothing}`;
  }
}

function sections(facts: ClaimFacts, frozen: NonNullable<ClaimFacts['frozen']>) {
  const { labels, certificate, search, tests, looks, name } = facts;
  const { claim } = frozen;
  const named: NamedClaim = {
    frozen,
    methods: claim.methods.map((_, i) => ({ label: labels[i] ?? t('Method {0}', i + 1) })),
  };
  const part = (id: string, heading: string, content: unknown) =>
    html`<section aria-labelledby="${id}-heading">
      <h2 id="${id}-heading">${heading}</h2>
      ${content}
    </section>`;
  const draw = (width: number) => looksFigure(named, looks, width);
  return [
    part(
      'looks',
      t('Looks'),
      html`<p class="words">${withCode(lookSentence(named))}</p>
        ${
          looks.some(({ results }) => results.length > 0)
            ? html`<aurora-study-figure data-figure="looks" .draw=${draw}></aurora-study-figure>`
            : html`<p class="note">
                ${looks.length > 0 ? t('Training diverged with one of the seeds.') : t('No look has been taken yet.')}
              </p>`
        }`,
    ),
    certificate ? part('methods', t('Methods'), reportView(methodParts(certificate), t('Methods'))) : nothing,
    search.length > 0
      ? part(
          'search',
          t('Search'),
          reportView(
            [...searchParts(claim, search), ...(certificate ? endsPart(certificate) : [])],
            t('Search'),
          ),
        )
      : nothing,
    tests.length > 0 ? part('tests', t('Test'), testTable(tests, named, claim.metric)) : nothing,
    certificate
      ? part('left-out', t('Left out'), reportView(leftOutParts(certificate), t('Left out')))
      : nothing,
    part(
      'frozen',
      t('What was frozen'),
      reportView(frozenParts(certificate ?? { frozen, hash: name }), t('What was frozen')),
    ),
  ];
}

/** The runs of the test; each opens its dashboard. */
function testTable(tests: readonly TestRow[], { methods }: NamedClaim, metric: MetricName): TemplateResult {
  const { label } = metricInfo(metric);
  const forms = (['trained', 'fitted'] as const).filter((form) =>
    tests.some(({ results }) => results[form] !== undefined),
  );
  const titles = { trained: label, fitted: t('{0} as linear fit', label) };
  const value = (number: number | undefined) => (number === undefined ? '–' : formatMetric(metric, number));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t('Runs of the test')}>
    <table class="tests">
      <thead>
        <tr>
          <th scope="col" class="text">${t('Run')}</th>
          <th scope="col" class="text">${t('Method')}</th>
          <th scope="col" class="number">${t('Seed')}</th>
          <th scope="col" class="text">${t('State')}</th>
          ${forms.map((form) => html`<th scope="col" class="number">${titles[form]}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${tests.map(
          ({ name, run, method, seed, state, results }) =>
            html`<tr>
              <th scope="row" class="text">
                ${
                  run === undefined
                    ? name
                    : html`<button class="link" @click=${() => say({ type: 'open', run })}>${name}</button>`
                }
              </th>
              <td class="text">${methods[method].label}</td>
              <td class="number">${seed}</td>
              <td class="text state-word state-${state}">${trialWord(state, 'running')}</td>
              ${forms.map((form) => html`<td class="number">${value(results[form])}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
