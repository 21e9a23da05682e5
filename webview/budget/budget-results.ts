import { html, nothing, type TemplateResult } from 'lit';
import type { AdapterBudget, Budget } from '../../src/protocol/budget';
import { csv } from '../../src/base/csv';
import { t } from '../../src/base/l10n';
import { flops } from './budget-numbers';
import { bytes, count, shortNumber, sharePercent } from '../../src/base/number-text';
import type { BudgetFields } from '../../src/protocol/panels/budget';
import { repeat } from 'lit/directives/repeat.js';

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

/** The formulas with this adapter's numbers, shown on request. */
export function explanation(
  budget: Budget,
  fields: BudgetFields,
  open: boolean,
  toggled: (open: boolean) => void,
): TemplateResult {
  const { adapter, modelForwardFlops, formula } = budget;
  const { parameters: p, file, memory, flops, nonlinear } = adapter;
  // For methods where every parameter is a factor of a product; others count differently.
  const products = flops.backward === 2 * flops.forward;
  const item = (title: string, formula: string, words: string) =>
    html`<dt>${title}</dt>
      <dd>
        <code>${formula}</code>
        <p>${words}</p>
      </dd>`;
  return html`<details
    ?open=${open}
    @toggle=${(e: Event) => toggled((e.currentTarget as HTMLDetailsElement).open)}
  >
    <summary>${t('How the costs are counted')}</summary>
    <dl>
      ${item(
        t('Parameters'),
        t('Σ over modules: {0} = {1}', formula, count(p)),
        t(
          'The elements of the tensors that the trainer creates for each module; in and out are the layer’s features. A task’s head is not included.',
        ),
      )}
      ${item(
        t('Adapter file'),
        t('8 + {0} + 4 × {1} = {2} bytes', count(file.header), count(p), count(file.total)),
        t(
          'adapter_model.safetensors in float32: 8 bytes for the length of the header, the header with names and shapes (padded to 8 bytes), and 4 bytes per parameter. A task’s head is not included.',
        ),
      )}
      ${item(
        t('Training memory'),
        t('4 × {0} × (1 + 1 + 2) = {1} bytes', count(p), count(memory.total)),
        t(
          'In float32: the parameters, their gradients, and AdamW’s two moments. The model’s weights and the activations of a pass are not included.',
        ),
      )}
      ${item(
        t('FLOPs per token'),
        products
          ? t('forward 2 × {0}, backward 4 × {0}', count(flops.forward / 2))
          : t('forward {0}, backward {1}', count(flops.forward), count(flops.backward)),
        (products
          ? t(
              'Matrix products; a multiply-add counts as two operations. Each parameter is used once per token and call. In the backward pass, it costs one product for its own gradient and one to propagate the gradient. A module that is called several times counts once per call.',
            )
          : t(
              'A multiply-add counts as two operations. Frozen matrices that the method computes with are included, and so are the tensors that it computes from its parameters once per step.',
            )) +
          ' ' +
          t(
            'In the forward pass, this adds {0} to the model’s own linear layers.',
            sharePercent(flops.forward / modelForwardFlops),
          ),
      )}
      ${item(
        t('FLOPs per step'),
        products
          ? t('6 × {0} × {1} tokens = {2}', count(flops.forward / 2), fields.tokens, count(flops.step))
          : t('{0} for {1} tokens', count(flops.step), fields.tokens),
        t('Assuming that every module processes every token of the step.'),
      )}
      ${
        nonlinear.bases + nonlinear.activations > 0
          ? item(
              t('σ itself'),
              t(
                '{0} spline values, {1} activations per token',
                count(nonlinear.bases),
                count(nonlinear.activations),
              ),
              t(
                'r(G + k) spline bases and 2r activations per module in the forward pass. They are not matrix products and not included in the FLOPs above.',
              ),
            )
          : nothing
      }
    </dl>
  </details>`;
}

/** One row per adapted module, with the total below. */
export function moduleTable({ modules, adapter }: Budget, copy: (text: string) => void): TemplateResult {
  // Most models call each layer once, which makes the column pointless.
  const calls = modules.some((m) => m.calls !== 1);
  const table = () =>
    csv([
      ['module', 'in', 'out', 'calls', 'rank', 'parameters'],
      ...modules.map((m) => [m.path, m.inFeatures, m.outFeatures, m.calls, m.rank ?? '', m.parameters]),
    ]);
  return html`<section aria-labelledby="modules-title">
    <div class="title-row">
      <h2 id="modules-title">${t('Adapted modules ({0})', count(modules.length))}</h2>
      <vscode-button appearance="secondary" @click=${() => copy(table())}>${t('Copy as CSV')}</vscode-button>
    </div>
    <div class="scroll tall" tabindex="0" role="region" aria-labelledby="modules-title">
      <table class="modules">
        <thead>
          <tr>
            <th scope="col">${t('Module')}</th>
            <th scope="col">${t('In')}</th>
            <th scope="col">${t('Out')}</th>
            ${calls ? html`<th scope="col">${t('Calls')}</th>` : nothing}
            <th scope="col">${t('Rank')}</th>
            <th scope="col">${t('Parameters')}</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            modules,
            (m) => m.path,
            (m) =>
              html`<tr>
                <th scope="row">${m.path}</th>
                <td>${count(m.inFeatures)}</td>
                <td>${count(m.outFeatures)}</td>
                ${calls ? html`<td>${count(m.calls)}</td>` : nothing}
                <td>${m.rank ?? '–'}</td>
                <td>${count(m.parameters)}</td>
              </tr>`,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colspan=${calls ? 5 : 4}>${t('Total')}</th>
            <td>${count(adapter.parameters)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  </section>`;
}
