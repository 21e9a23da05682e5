import { durationText } from '../../src/base/number-text';
import { html, nothing, type TemplateResult } from 'lit';
import {
  metricCells,
  metricHover,
  metricInfo,
  type MetricName,
  type Metrics,
} from '../../src/experiment/metrics';
import { shownMetrics } from '../../src/experiment/shown-metrics';
import type { CsvTable } from '../../src/protocol/panels/run';
import { t } from '../../src/base/l10n';
import { formatBytes, formatCount } from './run-numbers';
import type { Measured, RunData } from './run-data';
import { swatch } from './swatches';
import { stateWords } from './run-words';
import { own } from '../../src/base/names';
import { valueText } from '../../src/experiment/sweep';
import { guard } from 'lit/directives/guard.js';

const heading = (metric: MetricName): string => {
  const { label } = metricInfo(metric);
  return t(label[0].toUpperCase() + label.slice(1));
};

/** A row of the metrics table: an evaluation, or a score on a set that training did not see. */
interface MetricsRow {
  label: string;
  step?: number;
  metrics?: Metrics | 'diverged';
}

function metricsRowsOf(run: RunData): MetricsRow[] {
  const evaluation = (label: string, e: Pick<Measured, 'step' | 'metrics'> | undefined): MetricsRow => ({
    label,
    ...(e && { step: e.step, metrics: e.metrics }),
  });
  const { scores } = run;
  const last = run.measured.at(-1);
  const score = (label: string, metrics: Metrics | 'diverged' | undefined): MetricsRow[] =>
    metrics === undefined ? [] : [{ label, step: scores!.step, metrics }];
  const sets = scores?.sets ?? [];
  return [
    evaluation(
      t('best'),
      run.evaluations.findLast((e) => e.best),
    ),
    evaluation(last?.diverged ? t('last, diverged') : t('last'), last),
    ...score(t('test'), scores?.test),
    ...sets.flatMap(({ name, score: of }) => score(name, of)),
    ...(sets.length > 1 ? score(t('mean of {0} sets', sets.length), scores?.mean) : []),
  ];
}

/** Each run's result: its best evaluation, its scores, and its cost. */
export function metricsTable(runs: readonly RunData[]): TemplateResult | typeof nothing {
  if (runs.every((r) => r.measured.length === 0)) return nothing;
  const names = shownMetrics(
    runs.find((r) => r.facts?.spec)?.facts?.spec?.training.metric,
    ...runs.flatMap((r) => r.measured.slice(-1).map((e) => e.metrics)),
  );
  const isScored = runs.some((r) => r.scores);
  return html`<section aria-labelledby="metrics-heading">
    <h2 id="metrics-heading">${t('Metrics at the best and the last evaluation')}</h2>
    ${
      isScored
        ? html`<p class="quiet">
            ${t(
              'Test and evaluation sets are scored once, at the end, with the adapter of the best evaluation on the validation data.',
            )}
          </p>`
        : nothing
    }
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
  const rows = metricsRowsOf(run);
  const time = run.x('time');
  const peak = run.facts?.result?.peakMemory;
  const memory = typeof peak === 'number' ? peak : run.peakMemory;
  return rows.map(
    ({ label, step, metrics }, i) =>
      html`<tr class=${i < rows.length - 1 ? 'joined' : ''}>
        ${
          i === 0
            ? html`<th scope="rowgroup" rowspan=${rows.length}>
                ${swatch(run.index)} ${run.facts?.name}
                <small class="quiet">${stateWords(run)}</small>
              </th>`
            : nothing
        }
        <td>${label}</td>
        <td class="number">${step === undefined ? '–' : formatCount(step)}</td>
        ${cellsOf(metrics, names).map((cell) => html`<td class="number">${cell}</td>`)}
        ${
          i === 0
            ? html`<td class="number" rowspan=${rows.length}>
                  ${run.started ? formatCount(run.started.trainable + run.started.trainableHead) : '–'}
                </td>
                <td class="number" rowspan=${rows.length}>
                  ${time.length > 0 ? durationText(time[time.length - 1]) : '–'}
                </td>
                <td class="number" rowspan=${rows.length}>${memory > 0 ? formatBytes(memory) : '–'}</td>`
            : nothing
        }
      </tr>`,
  );
}

const cellsOf = (metrics: MetricsRow['metrics'], names: readonly MetricName[]): string[] =>
  metrics === 'diverged' ? names.map(() => t('diverged')) : metricCells(names, metrics ?? {});

/** Rows per page of the data table. */
const PAGE = 100;

interface DataPlace {
  table: CsvTable;
  run: number;
  /** First row shown; the last page if undefined. */
  from?: number;
}

/** The exact numbers behind the charts, one page at a time, with a button to copy all of them. */
function dataTable(
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
  const evaluations = run.measured;
  const wanted = run.facts?.spec?.training.metric;
  const marks = evaluations.some((e) => e.diverged) ? ['diverged'] : [];
  const columns = steps
    ? run.columnNames
    : ['step', 'epoch', ...shownMetrics(wanted, ...evaluations.map((e) => e.metrics)), ...marks];
  const total = steps ? run.records : evaluations.length;
  const last = Math.max(0, total - PAGE);
  const from = Math.min(place.from ?? last, last);
  const value = (row: number, column: string): number | string => {
    if (steps) return run.column(column)[row];
    const e = evaluations[row];
    if (column === 'diverged') return e.diverged ? t('yes') : '';
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

/** The machine on which a finished run was trained, in a separate column for each run. */
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

/** The data behind the charts, and what the user sees of them. */
export class DataSection {
  private place: DataPlace = { table: 'records', run: 0 };
  private open = false;
  private said = '';

  /** @param changed asks for a new rendering */
  constructor(
    private readonly changed: () => void,
    private readonly copy: (table: CsvTable, run: string) => void,
  ) {}

  copied(rows: number): void {
    this.said = t('Copied {0} rows.', rows);
    this.changed();
  }

  /** @param version of the data */
  render(runs: readonly RunData[], version: number): unknown {
    if (runs.every((r) => r.records === 0)) return nothing;
    const { place, open, said } = this;
    return guard([version, place, open, said], () =>
      dataTable(runs, place, open, said, {
        go: (to) => {
          this.place = to;
          this.changed();
        },
        toggle: (to) => {
          if (to === this.open) return;
          this.open = to;
          this.changed();
        },
        copy: (table, run) => {
          this.said = '';
          this.copy(table, run.folder);
        },
      }),
    );
  }
}
