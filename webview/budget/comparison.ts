import { html, nothing, type TemplateResult } from 'lit';
import type { AdapterBudget, Budget } from '../../src/protocol/budget';
import { csv } from '../ui/csv';
import { t } from '../../src/base/l10n';
import { flops } from './format';
import { bytes, count, shortNumber, sharePercent } from '../../src/base/number-text';

/** The parameter count, and how it compares with the model and LoRA. */
export function headline({ adapter, modules, layers, modelParameters, lora, equal }: Budget): TemplateResult {
  return html`<section class="headline" aria-label=${t('Total')}>
    <p class="total"><strong>${count(adapter.parameters)}</strong> ${t('trainable parameters')}</p>
    <ul>
      <li>${t('{0} of {1} linear layers', count(modules.length), count(layers))}</li>
      ${
        modelParameters
          ? html`<li>
              ${t('{0} of the model’s {1} parameters', sharePercent(adapter.parameters / modelParameters), count(modelParameters))}
            </li>`
          : nothing
      }
      <li>${t('{0} of LoRA r={1}', sharePercent(adapter.parameters / lora.parameters), lora.rank)}</li>
      <li>${t('LoRA at equal cost: r = {0}', shortNumber(equal.exactRank))}</li>
    </ul>
  </section>`;
}

/** The adapter beside LoRA at the requested rank and at the rank of equal cost. */
export function comparison(budget: Budget, copy: (text: string) => void): TemplateResult {
  const columns = columnsOf(budget);
  const rows = rowsOf(budget);
  const table = () =>
    csv([
      ['', ...columns.map((c) => c.title)],
      ...rows.map((r) => [r.title, ...columns.map((c) => r.exact(c.cost))]),
    ]);
  return html`<section aria-labelledby="comparison-title">
    <div class="title-row">
      <h2 id="comparison-title">${t('Compared with LoRA on the same modules')}</h2>
      <vscode-button appearance="secondary" @click=${() => copy(table())}>${t('Copy as CSV')}</vscode-button>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="comparison-title">
      <table class="comparison">
        <thead>
          <tr>
            <td></td>
            ${columns.map((c) => html`<th scope="col">${c.title}<span class="hint">${c.note}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (r) =>
              html`<tr>
                <th scope="row">${r.title}</th>
                ${columns.map((c) => html`<td title=${r.tip(c.cost)}>${r.shown(c.cost)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

interface Column {
  title: string;
  note: string;
  cost: AdapterBudget;
}

const columnsOf = ({ adapter, lora, equal }: Budget): Column[] => [
  { title: t('This adapter'), note: '', cost: adapter },
  { title: t('LoRA r={0}', lora.rank), note: t('the rank for comparison'), cost: lora },
  {
    title: t('LoRA r={0}', equal.rank),
    note: t('nearest to equal cost, r\u00a0=\u00a0{0}', shortNumber(equal.exactRank)),
    cost: equal,
  },
];

interface Row {
  title: string;
  shown(cost: AdapterBudget): string;
  exact(cost: AdapterBudget): number | string;
  tip(cost: AdapterBudget): string;
}

function rowsOf({ adapter, modelParameters }: Budget): Row[] {
  const exact = (title: string, value: (c: AdapterBudget) => number, unit: string, shown = count): Row => ({
    title,
    shown: (c) => shown(value(c)),
    exact: value,
    tip: (c) => `${count(value(c))} ${unit}`,
  });
  const ratio = (title: string, value: (c: AdapterBudget) => number): Row => ({
    title,
    shown: (c) => sharePercent(value(c)),
    exact: value,
    tip: () => '',
  });
  return [
    exact(t('Trainable parameters'), (c) => c.parameters, t('parameters')),
    ...(modelParameters ? [ratio(t('Share of the model'), (c) => c.parameters / modelParameters)] : []),
    ratio(t('Relative to this adapter'), (c) => c.parameters / adapter.parameters),
    exact(t('Adapter file'), (c) => c.file.total, t('bytes'), bytes),
    exact(t('Training memory'), (c) => c.memory.total, t('bytes'), bytes),
    exact(t('FLOPs per token, forward'), (c) => c.flops.forward, 'FLOP', flops),
    exact(t('FLOPs per token, backward'), (c) => c.flops.backward, 'FLOP', flops),
    exact(t('FLOPs per step'), (c) => c.flops.step, 'FLOP', flops),
  ];
}
