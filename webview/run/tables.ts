import { html, nothing, type TemplateResult } from 'lit';
import {
  metricCells,
  metricHover,
  metricInfo,
  metricsIn,
  type MetricName,
} from '../../src/experiment/metrics';
import type { CsvTable } from '../../src/protocol/panels/run';
import { t } from '../ui/l10n';
import { formatBytes, formatCount, formatDuration } from './format';
import type { RunData } from './model';
import { swatch } from './parts';
import { stateWords } from './words';
import { own } from '../../src/base/names';
import { valueText } from '../../src/experiment/sweep';

const heading = (metric: MetricName): string => {
  const { label } = metricInfo(metric);
  return t(label[0].toUpperCase() + label.slice(1));
};

/** Each run's result: its best evaluation, and its cost. */
export function metricsTable(runs: readonly RunData[]): TemplateResult | typeof nothing {
  if (runs.every((r) => r.evaluations.length === 0)) return nothing;
  const names = metricsIn(...runs.flatMap((r) => r.evaluations.slice(-1).map((e) => e.metrics)));
  return html`<section aria-labelledby="metrics-heading">
    <h2 id="metrics-heading">${t('Metrics at the best and the last evaluation')}</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="metrics-heading">
      <table data-table="metrics">
        <thead>
          <tr>
            <th scope="col">${t('Run')}</th>
            <th scope="col">${t('Evaluation')}</th>
            <th scope="col" class="number">${t('Step')}</th>
            ${names.map((m) => html`<th scope="col" class="number" title=${metricHover(m)}>${heading(m)}</th>`)}
            <th scope="col" class="number">${t('Parameters')}</th>
            <th scope="col" class="number">${t('Time')}</th>
            <th scope="col" class="number">${t('Memory')}</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map((run) => metricsRows(run, names))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function metricsRows(run: RunData, names: readonly MetricName[]): unknown {
  const best = run.evaluations.findLast((e) => e.best);
  const last = run.evaluations.at(-1);
  const time = run.x('time');
  const peak = run.facts?.result?.peakMemory;
  const memory = typeof peak === 'number' ? peak : run.peakMemory;
  return [
    { label: t('best'), e: best },
    { label: t('last'), e: last },
  ].map(
    ({ label, e }, i) =>
      html`<tr class=${i === 0 ? 'joined' : ''}>
        ${
          i === 0
            ? html`<th scope="rowgroup" rowspan="2">
                ${swatch(run.index)} ${run.facts?.name}
                <small class="quiet">${stateWords(run)}</small>
              </th>`
            : nothing
        }
        <td>${label}</td>
        <td class="number">${e ? formatCount(e.step) : '–'}</td>
        ${metricCells(names, e?.metrics ?? {}).map((cell) => html`<td class="number">${cell}</td>`)}
        ${
          i === 0
            ? html`<td class="number" rowspan="2">
                  ${run.started ? formatCount(run.started.trainable + run.started.trainableHead) : '–'}
                </td>
                <td class="number" rowspan="2">
                  ${time.length > 0 ? formatDuration(time[time.length - 1]) : '–'}
                </td>
                <td class="number" rowspan="2">${memory > 0 ? formatBytes(memory) : '–'}</td>`
            : nothing
        }
      </tr>`,
  );
}

/** Rows per page of the data table. */
const PAGE = 100;

export interface DataPlace {
  table: CsvTable;
  run: number;
  /** First row shown; the last page if undefined. */
  from?: number;
}

/** The exact numbers behind the charts, one page at a time, with a button to copy all of them. */
export function dataTable(
  runs: readonly RunData[],
  place: DataPlace,
  open: boolean,
  copied: string,
  actions: {
    go(place: DataPlace): void;
    toggle(open: boolean): void;
    copy(table: CsvTable, run: RunData): void;
  },
): TemplateResult {
  const run = runs[Math.min(place.run, runs.length - 1)];
  return html`<section aria-labelledby="data-heading">
    <h2 id="data-heading">${t('Data')}</h2>
    <div class="buttons">
      ${
        runs.length > 1
          ? html`<vscode-dropdown
              aria-label=${t('Run to show data for')}
              .value=${String(place.run)}
              @change=${(e: Event) =>
                actions.go({ ...place, run: Number((e.target as HTMLInputElement).value), from: undefined })}
            >
              ${runs.map((r, i) => html`<vscode-option value=${String(i)}>${r.facts?.name}</vscode-option>`)}
            </vscode-dropdown>`
          : nothing
      }
      <vscode-button
        appearance="secondary"
        data-action="copy-records"
        @click=${() => actions.copy('records', run)}
        >${t('Copy Steps as CSV')}</vscode-button
      >
      <vscode-button
        appearance="secondary"
        data-action="copy-evaluations"
        @click=${() => actions.copy('evaluations', run)}
        >${t('Copy Evaluations as CSV')}</vscode-button
      >
      <span role="status">${copied}</span>
    </div>
    <details
      data-control="data"
      ?open=${open}
      @toggle=${(e: Event) => actions.toggle((e.target as HTMLDetailsElement).open)}
    >
      <summary>${t('Show the data as a table')}</summary>
      ${open ? openTable(run, place, actions.go) : nothing}
    </details>
  </section>`;
}

function openTable(run: RunData, place: DataPlace, go: (place: DataPlace) => void): TemplateResult {
  const steps = place.table === 'records';
  const evaluations = run.evaluations;
  const columns = steps
    ? run.columnNames
    : ['step', 'epoch', ...metricsIn(...evaluations.map((e) => e.metrics))];
  const total = steps ? run.records : evaluations.length;
  const last = Math.max(0, total - PAGE);
  const from = Math.min(place.from ?? last, last);
  const value = (row: number, column: string): number => {
    if (steps) return run.column(column)[row];
    const e = evaluations[row];
    return column === 'step' || column === 'epoch' ? e[column] : run.metric(e, column as MetricName);
  };
  const rows = Array.from({ length: Math.min(PAGE, total - from) }, (_, i) => from + i);
  const move = (label: string, to: number, disabled: boolean) =>
    html`<vscode-button
      appearance="secondary"
      ?disabled=${disabled}
      @click=${() => go({ ...place, from: to })}
      >${label}</vscode-button
    >`;
  return html`<div class="buttons">
      <vscode-dropdown
        aria-label=${t('Table')}
        .value=${place.table}
        @change=${(e: Event) =>
          go({ ...place, table: (e.target as HTMLInputElement).value as CsvTable, from: undefined })}
      >
        <vscode-option value="records">${t('Every step')}</vscode-option>
        <vscode-option value="evaluations">${t('Every evaluation')}</vscode-option>
      </vscode-dropdown>
      ${move(t('First'), 0, from === 0)} ${move(t('Previous'), Math.max(0, from - PAGE), from === 0)}
      ${move(t('Next'), from + PAGE, from >= last)}
      <vscode-button
        appearance="secondary"
        ?disabled=${from >= last}
        @click=${() => go({ ...place, from: undefined })}
        >${t('Newest')}</vscode-button
      >
      <span>${t('Rows {0} to {1} of {2}', total === 0 ? 0 : from + 1, from + rows.length, total)}</span>
    </div>
    <div class="scroll tall" tabindex="0" role="region" aria-label=${t('Data')}>
      <table data-table="data">
        <thead>
          <tr>
            ${columns.map((c) => html`<th scope="col" class="number">${c}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${columns.map((c) => html`<td class="number">${String(value(row, c))}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** Where a finished run was trained, in a separate column for each run. */
export function environmentTable(runs: readonly RunData[]): TemplateResult | typeof nothing {
  const known = runs
    .map((run) => ({
      run,
      environment: run.facts?.result?.environment as Record<string, unknown> | undefined,
    }))
    .filter((r) => r.environment && typeof r.environment === 'object');
  if (known.length === 0) return nothing;
  const keys = [...new Set(known.flatMap((r) => Object.keys(r.environment!)))];
  const names: Record<string, string> = {
    auroraLab: t('AuroRA Lab'),
    runtime: t('ONNX Runtime'),
    node: t('Node'),
    optimization: t('Graph optimization'),
    threads: t('Threads'),
    platform: t('Platform'),
    cpu: t('CPU'),
    memoryGiB: t('Memory (GiB)'),
    host: t('Host'),
  };
  return html`<section aria-labelledby="environment-heading">
    <h2 id="environment-heading">${t('Environment')}</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="environment-heading">
      <table data-table="environment">
        ${
          known.length > 1
            ? html`<thead>
                <tr>
                  <td></td>
                  ${known.map(({ run }) => html`<th scope="col">${swatch(run.index)} ${run.facts?.name}</th>`)}
                </tr>
              </thead>`
            : nothing
        }
        <tbody>
          ${keys.map(
            (key) =>
              html`<tr>
                <th scope="row">${own(names, key) ?? key}</th>
                ${known.map(({ environment }) => html`<td>${valueText(own(environment!, key) ?? '–')}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
