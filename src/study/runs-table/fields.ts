import { inEnglish } from '../../base/l10n';
import { flatSettings, type FlatSettings } from '../../experiment/differing-settings';
import type { Experiment } from '../../experiment/experiment';
import { isMetric, METRICS, metricValue, type MetricName, type Metrics } from '../../experiment/metrics';
import { troubleNames } from '../../protocol/alarms';
import type { RunEvent, RunStatus } from '../../protocol/events';
import { scoresOf } from '../../protocol/evaluations';
import type { Value } from './table';

/**
 * `queued`: in a cluster's queue. `pruned`: by its sweep. `lost`: its trainer ended without reporting it. `damaged`: it cannot
 * be read.
 */
export type TableState =
  | 'queued'
  | 'starting'
  | 'running'
  | 'finished'
  | 'diverged'
  | 'stopped'
  | 'pruned'
  | 'failed'
  | 'lost'
  | 'damaged';

/** A run as far as it could be read. */
export interface RunSource {
  folder: string;
  id: string;
  /** Its number in the experiment, if it has one. */
  number?: number;
  /** The display name. */
  name: string;
  /** The experiment's display name. */
  experiment: string;
  state: TableState;
  spec?: Experiment;
  events?: readonly RunEvent[];
  status?: RunStatus;
  /** At the last step, smoothed; of a run in training. */
  trainingLoss?: number;
  user: { note?: string; star?: boolean; tags?: readonly string[] };
}

/** All values of a run, before it is known which columns a table has. */
export interface RunFields {
  folder: string;
  /** By column; without those that the run lacks. */
  facts: ReadonlyMap<string, Value>;
  settings: FlatSettings;
  /** The metric that it was trained for. */
  metric?: MetricName;
}

/** "accuracy", "accuracy.last", "accuracy.test" */
export type MetricPart = 'best' | 'last' | 'test';
export const metricKey = (metric: MetricName, part: MetricPart): string =>
  part === 'best' ? metric : `${metric}.${part}`;

/** The inverse of `metricKey`; undefined for a column of another kind. */
export function metricOfKey(key: string): { metric: MetricName; part: MetricPart } | undefined {
  const [metric, part = 'best', ...more] = key.split('.');
  const known = part === 'best' || part === 'last' || part === 'test';
  return isMetric(metric) && known && more.length === 0 ? { metric, part } : undefined;
}

/** The values of a run, whose `spec` must not change afterwards. */
export function runFields(run: RunSource): RunFields {
  const { spec, events = [], user } = run;
  const facts = new Map<string, Value>([
    ['state', run.state],
    ['name', run.name],
    ['experiment', run.experiment],
    ['id', run.id],
    ['star', user.star ?? false],
  ]);
  const put = (key: string, value: Value | undefined) => {
    if (value !== undefined && !Number.isNaN(value)) facts.set(key, value);
  };
  const alarms = inEnglish(() => troubleNames(events));
  if (alarms.length > 0) put('alarms', alarms);
  put('number', run.number);
  if (user.tags && user.tags.length > 0) put('tags', user.tags);
  put('note', user.note);
  putMetrics(events, spec, put);
  const started = events.find((e) => e.kind === 'started');
  put('trainingLoss', run.trainingLoss);
  put('step', run.status?.step);
  put('parameters', started?.trainable);
  put('headParameters', started?.trainableHead);
  put('commit', started?.git?.commit);
  put('clean', started?.git?.clean);
  putTimes(run, put);
  const device = events.findLast((e) => e.kind === 'device');
  put('device', device?.device);
  put('engine', device?.engine);
  const metric = spec?.training?.metric;
  return {
    folder: run.folder,
    facts,
    settings: spec ? flatSettings(spec) : NONE,
    ...(isMetric(metric) && { metric }),
  };
}

type Put = (key: string, value: Value | undefined) => void;

function putMetrics(events: readonly RunEvent[], spec: Experiment | undefined, put: Put): void {
  const evaluations = events.filter((e) => e.kind === 'evaluation');
  const last = evaluations.at(-1);
  const best = evaluations.findLast((e) => e.best) ?? last;
  const test = scoresOf(events, spec?.data)?.test;
  // A run that diverged after its last evaluation has no last value.
  const isDead = events.findLast((e) => e.kind === 'diverged-evaluation' || e.kind === 'evaluation');
  putAll('best', best?.metrics, put);
  if (isDead?.kind === 'evaluation') putAll('last', last?.metrics, put);
  if (test !== 'diverged') putAll('test', test, put);
}

function putAll(part: MetricPart, metrics: Metrics | undefined, put: Put): void {
  if (metrics) for (const metric of METRICS) put(metricKey(metric, part), metricValue(metrics, metric));
}

/** The duration is that of training, as the trainer counts it; before its end, the time since the start. */
function putTimes({ status, events = [], state }: RunSource, put: Put): void {
  const began = status?.startedAt ?? events.at(0)?.t;
  put('started', began);
  const finished = state === 'finished' ? events.findLast((e) => e.kind === 'finished') : undefined;
  const last = Math.max(status?.heartbeat ?? -Infinity, events.at(-1)?.t ?? -Infinity);
  if (finished) put('duration', finished.seconds);
  else if (began !== undefined && last >= began) put('duration', (last - began) / 1000);
}

const NONE: FlatSettings = new Map();
