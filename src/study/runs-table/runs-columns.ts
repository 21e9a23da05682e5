import { t } from '../../base/l10n';
import { count, durationText, numberText } from '../../base/number-text';
import { shortCommit } from '../../base/text';
import { byTelling } from '../../experiment/differing-settings';
import { formatMetric, metricInfo, METRICS, type Metrics } from '../../experiment/metrics';
import { isOneF1 } from '../../experiment/shown-metrics';
import { settingText, shortKeys } from '../../experiment/sweep';
import { metricKey, metricOfKey, type MetricPart, type RunFields } from './fields';
import type { Column, ColumnType, Row, RunsTable, Value } from './table';

/** The columns other than metrics and settings, in their order. */
const BEFORE: Readonly<Record<string, [title: string, type: ColumnType]>> = {
  star: ['Star', 'boolean'],
  number: ['Number', 'number'],
  name: ['Run', 'text'],
  experiment: ['Experiment', 'text'],
  state: ['State', 'text'],
  alarms: ['Alarms', 'list'],
};
/** Beside the metrics, in whose form it is. */
const LIVE: typeof BEFORE = { trainingLoss: ['training loss', 'number'] };
const AFTER: typeof BEFORE = {
  step: ['Step', 'number'],
  parameters: ['Parameters', 'number'],
  headParameters: ['Head parameters', 'number'],
  started: ['Started', 'time'],
  duration: ['Duration', 'duration'],
  device: ['Device', 'text'],
  engine: ['Engine', 'text'],
  commit: ['Git commit', 'text'],
  clean: ['Clean tree', 'boolean'],
  tags: ['Tags', 'list'],
  note: ['Note', 'text'],
  id: ['Folder', 'text'],
};
const ALWAYS = new Set(['name', 'state', 'parameters', 'started', 'duration']);
/** Shown if at least one run has one. */
const IF_ANY = new Set(['alarms', 'tags', 'trainingLoss']);
/** Shown if runs differ in it. */
const IF_DIFFERENT = new Set(['experiment', 'device', 'commit']);

/** More differing settings than this make a table too wide to read; the rest can be chosen. */
const MOST_SETTINGS = 12;

/** A setting of a method that is the same in all runs that have it: the method implies it. */
const isLacking = ({ key, several }: { key: string; several: boolean }): boolean =>
  key.startsWith('adapter.') && !several;

/** The metrics that show whether F1 is macro F1. */
const ONE_F1 = ['f1', 'macroF1', 'accuracy'] as const;

/** Always a separate column, and never one that distinguishes an experiment. */
const SEED = 'training.seed';

/**
 * Finds the columns of runs that are added one at a time, so that a host can pause between thousands of them. A run that is
 * removed or changed needs a new one of these, unless the change is only in values that the columns do not depend on.
 */
export class ColumnFinder {
  /** Runs whose settings could be read. */
  private read = 0;
  private readonly facts = new Map<string, { first: Value; differs: boolean }>();
  private readonly metrics = new Set<string>();
  /** Metrics of runs with both kinds of F1. */
  private readonly scored: Metrics[] = [];
  private readonly settings = new Map<string, SettingSeen>();

  add({ facts, settings, metric }: RunFields): void {
    for (const [key, value] of facts) {
      const seen = this.facts.get(key);
      if (!seen) this.facts.set(key, { first: value, differs: false });
      else if (!seen.differs && seen.first !== value) seen.differs = true;
    }
    if (metric) this.metrics.add(metric);
    if (facts.has('f1') && facts.has('macroF1'))
      this.scored.push(Object.fromEntries(ONE_F1.map((m) => [m, facts.get(m)])));
    for (const [key, text] of settings) {
      // The experiment's, which is a fact.
      if (key === 'name') continue;
      const seen = this.settings.get(key);
      if (!seen)
        this.settings.set(key, {
          ...{ first: text, count: 1, differs: this.read > 0, several: false },
          type: typeOf(text),
        });
      else {
        seen.count++;
        if (seen.first === text) continue;
        seen.differs = true;
        seen.several = true;
        if (seen.type !== typeOf(text)) seen.type = 'text';
      }
    }
    if (settings.size > 0) this.read++;
  }

  /**
   * Columns with cells first: the run's description, metrics, differing settings; then the settings that all runs
   * share.
   */
  columns(): Column[] {
    const settings = [...this.settings].map(([key, seen]) => ({
      key,
      ...seen,
      differs: seen.differs || seen.count < this.read,
    }));
    const titles = shortKeys(settings.map(({ key }) => key));
    const of = ({ key, type }: { key: string; type: ColumnType }, shown: boolean): Column => ({
      key,
      title: titles.get(key) ?? key,
      type,
      kind: 'setting',
      shown,
    });
    // Settings that vary come before those that some methods lack, and both before those of the data: names of files
    // are long.
    const differing = settings
      .filter((s) => s.differs)
      .sort((a, b) => Number(isLacking(a)) - Number(isLacking(b)) || byTelling(a.key, b.key));
    const chosen = differing.filter((s) => !isLacking(s)).slice(0, MOST_SETTINGS);
    return [
      ...this.described(BEFORE),
      ...this.ofMetrics(),
      ...this.described(LIVE).map((column): Column => ({ ...column, metric: 'loss' })),
      ...differing.map((s) => of(s, chosen.includes(s) || s.key === SEED)),
      ...this.described(AFTER),
      ...settings
        .filter((s) => !s.differs)
        .map((s) => ({ ...of(s, s.key === SEED), same: settingValue(s.first) })),
    ];
  }

  private described(of: typeof BEFORE): Column[] {
    return Object.entries(of).map(([key, [title, type]]) => {
      const seen = this.facts.get(key);
      const shown =
        ALWAYS.has(key) ||
        (IF_ANY.has(key) && seen !== undefined) ||
        (IF_DIFFERENT.has(key) && seen?.differs === true);
      return { key, title, type, kind: 'run', shown };
    });
  }

  /** The loss, and each metric that a run was trained for, are shown; F1 of more than two labels, which is macro F1, once. */
  private ofMetrics(): Column[] {
    const repeated = this.metrics.has('macroF1') && isOneF1(this.scored) ? 'f1' : undefined;
    const order = [
      ...METRICS.filter((m) => this.metrics.has(m)),
      ...METRICS.filter((m) => !this.metrics.has(m)),
    ];
    const parts: MetricPart[] = ['best', 'last', 'test'];
    return order.flatMap((metric) =>
      parts
        .filter((part) => this.facts.has(metricKey(metric, part)))
        .map((part): Column => {
          const isWanted = this.metrics.has(metric) && metric !== repeated;
          const shown = part === 'best' && (metric === 'loss' || isWanted);
          const title = metricInfo(metric).label;
          return { key: metricKey(metric, part), title, type: 'number', kind: 'metric', metric, shown };
        }),
    );
  }
}

interface SettingSeen {
  /** The first value as JSON. */
  first: string;
  count: number;
  differs: boolean;
  /** True if two runs that have it differ in it. */
  several: boolean;
  type: ColumnType;
}

const typeOf = (json: string): ColumnType =>
  json === 'true' || json === 'false' ? 'boolean' : /^-?\d/.test(json) ? 'number' : 'text';

/** A setting as a cell: a list is one text. */
function settingValue(json: string | undefined): Value {
  if (json === undefined) return null;
  const value: unknown = JSON.parse(json);
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/** A run's row under these columns. */
export function rowOf({ folder, facts, settings }: RunFields, columns: readonly Column[]): Row {
  const cells: Value[] = [];
  for (const { key, kind, type, same } of columns) {
    if (same !== undefined) break;
    if (kind !== 'setting') cells.push(facts.get(key) ?? null);
    else {
      const value = settingValue(settings.get(key));
      cells.push(type === 'text' && value !== null ? String(value) : value);
    }
  }
  return settings.size > 0 ? { folder, cells } : { folder, cells, unread: true };
}

export function tableOf(runs: readonly RunFields[]): RunsTable {
  const finder = new ColumnFinder();
  for (const run of runs) finder.add(run);
  const columns = finder.columns();
  return { columns, rows: runs.map((run) => rowOf(run, columns)) };
}

/** The part that a column's title leaves out: a metric is of the best or the last evaluation, or of the test set. */
const partOf = ({ key, kind }: Column): MetricPart | undefined =>
  kind === 'metric' ? metricOfKey(key)?.part : undefined;

/** A cell as text; empty if the run has no such value. */
export function cellText({ key, type, metric, kind }: Column, value: Value): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((v: string) => (key === 'alarms' ? t(v) : v)).join(', ');
  if (key === 'state') return t(String(value));
  if (key === 'star') return value === true ? '★' : '';
  if (typeof value === 'boolean') return value ? t('yes') : t('no');
  if (key === 'commit') return shortCommit(String(value));
  if (typeof value !== 'number') return String(value);
  if (metric) return formatMetric(metric, value);
  if (type === 'time') return timeText(value);
  if (type === 'duration') return durationText(value);
  return kind === 'setting' ? settingText(key, value) : count(value);
}

/** "accuracy", "accuracy (last)", "Duration" */
export function columnTitle(column: Column): string {
  const part = partOf(column);
  const title = t(column.title);
  return part === 'last' ? t('{0} (last)', title) : part === 'test' ? t('{0} (test)', title) : title;
}

/** A mean or a spread of cells; the mean of whole numbers is rarely whole. */
export function meanText(column: Column, value: number): string {
  const hasUnit = column.metric !== undefined || column.type === 'duration' || column.type === 'time';
  return hasUnit ? cellText(column, value) : numberText(value);
}

/** "2026-01-02 04:05" in local time; ms since 1970. */
function timeText(time: number): string {
  const at = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
