import {
  formatMetric,
  metricInfo,
  metricValue,
  type MetricName,
  type Metrics,
} from '../../experiment/metrics';
import { durationText, percent, rateNumber } from '../../base/number-text';
import { alarmsOf, alarmSentence } from '../../protocol/alarms';
import { betterAnswer, worseWords } from '../../protocol/baseline';
import { combinationText } from '../../protocol/combination-record';
import type { Evaluated, QuantizationCost } from '../../protocol/events';
import { scoresOf } from '../../protocol/evaluations';
import { deviceWords } from '../../protocol/device-words';
import {
  type AdapterSpec,
  isHeadAlone,
  methodName,
  sizeOf,
  type TrainedSpec,
} from '../../experiment/methods';
import { trainingLength } from '../../experiment/training-length';
import { bestEvaluation, importOf, labelOfId, lastTime, metricOf, runLabel, startTime } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { clusterWord, reasonWords } from './cluster/cluster-words';
import type { RunProblem } from '../../tools/run-problem';
import { errorOf } from './run-error';
import { stateWord } from './run-row';
import { shortCommit } from '../../base/text';
import { t } from '../../base/l10n';
import { executorName } from '../../experiment/cluster';

/** A run's tooltip. Plain text throughout, since names, notes and errors must not be formatted. */
export interface RunDetails {
  title: string;
  note?: string;
  tags?: string[];
  error?: RunProblem;
  facts: [string, string][];
  folder: string;
}

export function runDetails(entry: RunEntry, locale: string): RunDetails {
  return {
    title: t('{0} ({1})', runLabel(entry), stateWord(entry)),
    note: entry.user.note,
    tags: entry.user.tags,
    error: errorOf(entry),
    facts: [...(entry.run ? facts(entry.run, locale) : []), ...clusterFacts(entry)],
    folder: entry.folder,
  };
}

function clusterFacts({ cluster }: Pick<RunEntry, 'cluster'>): [string, string][] {
  if (!cluster) return [];
  const { executor, job, node, restarts = 0 } = cluster;
  const why = reasonWords(cluster);
  const said = clusterWord(cluster.state);
  return [
    [t('{0} job', executorName(executor)), job],
    [executorName(executor), why === undefined ? said : `${said} (${why})`],
    ...(node === undefined ? [] : [[t('Node'), node] as [string, string]]),
    ...(restarts > 0 ? [[t('Restarts'), String(restarts)] as [string, string]] : []),
  ];
}

function facts(run: NonNullable<RunEntry['run']>, locale: string): [string, string][] {
  const { training } = run.spec;
  const metric = metricOf(run);
  const best = bestEvaluation(run);
  const better = betterAnswer(run);
  const began = startTime(run);
  const device = run.events.findLast((e) => e.kind === 'device');
  const seconds = ((lastTime(run) ?? NaN) - (began ?? NaN)) / 1000;
  const rows: [string, string | undefined][] = [
    [t('Method'), methodText(run.spec.adapter)],
    [
      t('Training'),
      t(
        'learning rate {0}, batch {1}, {2}, seed {3}',
        rateNumber(training.learningRate),
        training.batchSize * (training.gradientAccumulation ?? 1),
        trainingLength(training),
        training.seed,
      ),
    ],
    [t('Device'), device && deviceWords(device)],
    [t('Step'), run.status && run.status.steps > 0 ? `${run.status.step} / ${run.status.steps}` : undefined],
    [
      t('Best {0}', metricInfo(metric).label),
      best && t('{0} at step {1}', formatMetric(metric, metricValue(best.metrics, metric)), best.step),
    ],
    [t('Warning'), better && worseWords(better)],
    ...scoreRows(run, metric),
    [t('Git commit'), commitText(run)],
    [t('Started'), began === undefined ? undefined : new Date(began).toLocaleString(locale)],
    // A run that failed at once has no meaningful duration.
    [t('Duration'), seconds >= 0.1 ? durationText(seconds) : undefined],
  ];
  const fork = run.events.find((e) => e.kind === 'forked');
  if (fork)
    rows.push([
      t('Forked from'),
      t(
        '{0} at step {1}, changed: {2}',
        labelOfId(fork.fromRun),
        fork.fromStep,
        fork.changed.map((c) => c.key).join(', ') || t('nothing'),
      ),
    ]);
  const cost = run.events.findLast((e) => e.kind === 'quantization-cost');
  if (cost) rows.push([t('Cost of quantization'), costText(cost)]);
  const imported = importOf(run);
  if (imported?.combination) rows.push([t('Combined by'), combinationText(imported.combination)]);
  else if (imported) rows.push([t('Imported from'), t('{0} ({1})', imported.adapter, imported.peftType)]);
  for (const alarm of alarmsOf(run.events))
    rows.push([t('Alarm at step {0}', alarm.step), alarmSentence(alarm)]);
  for (const warning of warningsOf(run)) rows.push([t('Warning'), warning]);
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

function commitText({ events }: NonNullable<RunEntry['run']>): string | undefined {
  const git = events.find((e) => e.kind === 'started')?.git;
  if (!git) return undefined;
  const commit = shortCommit(git.commit);
  return git.clean ? commit : t('{0}, with uncommitted changes', commit);
}

/** The score on the test set, and the mean over the evaluation sets. */
function scoreRows(
  { events, spec }: NonNullable<RunEntry['run']>,
  metric: MetricName,
): [string, string | undefined][] {
  const scores = scoresOf(events, spec.data);
  const label = metricInfo(metric).label;
  const text = (score: Metrics | 'diverged' | undefined) =>
    score && (score === 'diverged' ? t('diverged') : formatMetric(metric, metricValue(score, metric)));
  return [
    [t('Test {0}', label), text(scores?.test)],
    [t('Mean {0} of {1} evaluation sets', label, scores?.sets.length ?? 0), text(scores?.mean)],
  ];
}

function costText({ bits, of, quantized, float32 }: QuantizationCost): string {
  const loss = (m: Evaluated) => (m === 'diverged' ? t('diverged') : formatMetric('loss', m.loss));
  const [before, after] = [loss(float32), loss(quantized)];
  return of === 'model'
    ? t('loss {0} at {1} bits, {2} in float32, before training', after, bits, before)
    : t('loss {0} at {1} bits, {2} in float32, with the best adapter', after, bits, before);
}

/** Without duplicates: a resumed run warns of the same data again. */
const warningsOf = ({ events }: NonNullable<RunEntry['run']>): Set<string> =>
  new Set(events.flatMap((e) => (e.kind === 'warning' ? [e.message] : [])));

function methodText(adapter: AdapterSpec): string {
  if (isHeadAlone(adapter)) return t('head only');
  const targets = Array.isArray(adapter.targetModules)
    ? adapter.targetModules.join(', ')
    : adapter.targetModules;
  const size = sizeText(adapter);
  const name = methodName(adapter);
  return size === undefined ? t('{0} on {1}', name, targets) : t('{0}, {1}, on {2}', name, size, targets);
}

function sizeText(adapter: TrainedSpec): string | undefined {
  if ('alpha' in adapter) return t('rank {0}, alpha {1}', adapter.rank, adapter.alpha);
  const size = sizeOf(adapter);
  if (!size) return undefined;
  const [setting, value] = size;
  if (setting === 'rank') return t('rank {0}', value);
  if (setting === 'frequencies') return t('{0} frequencies', value);
  if (setting === 'blockNum') return value === 1 ? t('one block') : t('{0} blocks', value);
  return setting === 'blockSize' ? t('blocks of {0}', value) : t('{0} of the places', percent(value));
}
