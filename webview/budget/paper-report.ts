import { settingText } from '../../src/experiment/sweep';
import { html, nothing, type TemplateResult } from 'lit';
import {
  PAPER_METRIC_LABELS,
  type PaperReport,
  type PaperResults,
  type Recipe,
  type RecipeSettings,
} from '../../src/experiment/paper';
import { t } from '../../src/base/l10n';

/** The paper's results for this model and its training settings, with their source and what it leaves open. */
export function paperSection(paper: PaperReport, chosen: string | undefined): TemplateResult {
  const { source, results, recipes, variants, notes, adapter } = paper;
  const recipe = recipes.find((r) => r.id === chosen);
  const marks = new Set(recipe?.dataSets.map((d) => d.id));
  const { rank, alpha } = adapter;
  return html`<section class="paper" aria-labelledby="paper-title">
    <h2 id="paper-title">${t('In the paper ({0})', source)}</h2>
    <div class="paper-tables">
      ${results ? resultTable(results, marks) : nothing}
      ${settingTable(recipes, chosen, t('Settings: AdamW, rank {0}, alpha {1}', rank, alpha))}
      ${variants.map((v) => table(v.title, v.columns, v.rows))}
    </div>
    <p>${t('Not specified in the paper: {0}.', recipes[0].unsaid.join(', '))}</p>
    ${notes.map((note) => html`<p>${note}</p>`)}
  </section>`;
}

interface Row {
  name: string;
  note?: string;
  values: readonly string[];
  chosen?: boolean;
}

const table = (title: string, columns: readonly string[], rows: readonly Row[]): TemplateResult =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${title}>
    <table>
      <caption>
        ${title}
      </caption>
      <thead>
        <tr>
          <td></td>
          ${columns.map((c) => html`<th scope="col">${c}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (r) =>
            html`<tr class=${r.chosen ? 'chosen' : ''} aria-current=${r.chosen ? 'true' : 'false'}>
              <th scope="row">${r.name}${r.note ? html` <span>(${r.note})</span>` : nothing}</th>
              ${r.values.map((v) => html`<td>${v}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

function resultTable({ methods, rows }: PaperResults, marks: ReadonlySet<string>): TemplateResult {
  const names = { full: t('Full fine\u2011tuning'), lora: 'LoRA', aurora: 'AuroRA' };
  return table(
    t('Published results: accuracy in percent, unless noted'),
    methods.map((m) => names[m.method]),
    [
      { name: t('Parameters'), values: methods.map((m) => m.parameters) },
      ...rows.map(({ dataSet: { id, name, metric }, values }) => ({
        name,
        note: metric === 'accuracy' ? '' : t(PAPER_METRIC_LABELS[metric]),
        values: values.map((v) => v.toFixed(1)),
        chosen: marks.has(id),
      })),
      { name: t('Average'), values: methods.map((m) => m.average.toFixed(1)) },
    ],
  );
}

/** One column for each setting that the paper gives for any of the data sets. */
function settingTable(recipes: readonly Recipe[], chosen: string | undefined, title: string): TemplateResult {
  const all: [keyof RecipeSettings, string][] = [
    ['epochs', t('Epochs')],
    ['batchSize', t('Batch')],
    ['learningRate', t('Learning rate')],
    ['headLearningRate', t('Head learning rate')],
    ['maxLength', t('Length')],
    ['schedule', t('Schedule')],
    ['warmupRatio', t('Warm\u2011up')],
    ['warmupSteps', t('Warm\u2011up steps')],
    ['weightDecay', t('Weight decay')],
    ['dropout', t('Dropout')],
  ];
  const columns = all.filter(([key]) => recipes.some((r) => r.settings[key] !== undefined));
  const rows = recipes.map((r) => ({
    name: r.name,
    values: columns.map(([key]) => settingText(key, r.settings[key] ?? '–')),
    chosen: r.id === chosen,
  }));
  return table(
    title,
    columns.map(([, name]) => name),
    rows,
  );
}
