import { readingText } from '../../protocol/reading';
import { formatMetric, isMetric, metricInfo, type MetricName, metricValue } from '../../experiment/metrics';
import { alarmsOf, alarmSummary } from '../../protocol/alarms/alarms';
import { betterAnswer, worseWords } from '../../protocol/alarms/baseline';
import { hasDiverged } from '../../runs/outcome';
import {
  bestEvaluation,
  checkpointSteps,
  importOf,
  isPruned,
  lastTime,
  runLabel,
  startTime,
  stopReason,
} from '../runs/label';
import { isActive, isResumable } from '../runs/shown-state';
import type { RunEntry, ShownState } from '../runs/store';
import type { Translate } from '../translate';
import { ago } from './format';
import { fill } from '../../base/fill';
import { progressPercent } from '../../base/percent';

/** The content of a tree row, from which VS Code's tree item is made. */
export interface Row {
  label: string;
  description: string;
  /** A codicon and, if meaningful, a theme color. */
  icon: { id: string; color?: string };
  /** What can be done with it; matched by `when` clauses of package.json. */
  capabilities: string[];
  /** One sentence for screen readers. */
  spoken: string;
}

export interface RowContext {
  t: Translate;
  locale: string;
  now: number;
  /** Whether code may be executed here. */
  trusted: boolean;
}

export const ICONS: Record<ShownState, Row['icon']> = {
  starting: { id: 'loading~spin', color: 'charts.blue' },
  running: { id: 'sync~spin', color: 'charts.blue' },
  finished: { id: 'pass-filled', color: 'testing.iconPassed' },
  stopped: { id: 'debug-pause', color: 'charts.yellow' },
  failed: { id: 'error', color: 'testing.iconFailed' },
  lost: { id: 'debug-disconnect', color: 'problemsWarningIcon.foreground' },
  damaged: { id: 'warning', color: 'problemsErrorIcon.foreground' },
};

const WARNING = { id: 'warning', color: 'problemsWarningIcon.foreground' };

/** Trained, or being trained, with something wrong: a tick or a spinner alone would hide that. */
export const isAlarming = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  (state === 'running' || state === 'finished') &&
  run !== undefined &&
  (alarmsOf(run.events).length > 0 || betterAnswer(run) !== undefined);

export function runRow(entry: RunEntry, context: RowContext): Row {
  const { t } = context;
  const label = runLabel(entry);
  const parts = [...progress(entry, t), ...result(entry, context)].filter((p) => p !== '');
  const warned = isAlarming(entry) ? [t('warning')] : [];
  const star = entry.user.star ? [t('starred')] : [];
  return {
    label: entry.user.star ? `★ ${label}` : label,
    description: parts.join(' · '),
    icon: isUntrainedImport(entry)
      ? { id: 'desktop-download' }
      : isPruned(entry)
        ? { id: 'circle-slash' }
        : isAlarming(entry)
          ? WARNING
          : ICONS[entry.state],
    capabilities: capabilities(entry, context.trusted),
    spoken: [...new Set([t('Run {0}', label), stateName(entry.state, t), ...warned, ...star, ...parts])].join(
      ', ',
    ),
  };
}

/** An imported adapter without training yet: nothing was stopped. */
const isUntrainedImport = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  state === 'stopped' && run?.status?.step === 0 && importOf(run) !== undefined;

/** A run's state in one word. */
export function stateName(state: ShownState, t: Translate): string {
  switch (state) {
    case 'starting':
      return t('starting');
    case 'running':
      return t('running');
    case 'finished':
      return t('finished');
    case 'stopped':
      return t('stopped');
    case 'failed':
      return t('failed');
    case 'lost':
      return t('lost');
    case 'damaged':
      return t('damaged');
  }
}

/**
 * The best value so far of the run's metric. The number comes first, since a narrow side bar truncates the end; a constant
 * answer that does better follows.
 */
export function headline({ run }: RunEntry, t: Translate = fill): string | undefined {
  const best = run && bestEvaluation(run);
  if (!best) return undefined;
  const metric = metricOf(run);
  const text = `${formatMetric(metric, metricValue(best.metrics, metric))} ${metricInfo(metric).label}`;
  const better = betterAnswer(run);
  return better ? `${text}, ${worseWords(better, t)}` : text;
}

/** The run's metric; one that this version does not know is read as the loss. */
export const metricOf = (run: NonNullable<RunEntry['run']>): MetricName =>
  isMetric(run.spec.training.metric) ? run.spec.training.metric : 'loss';

function progress({ state, run }: RunEntry, t: Translate): string[] {
  const { step, steps } = run?.status ?? { step: 0, steps: 0 };
  if (isUntrainedImport({ state, run })) return [t('imported')];
  switch (state) {
    case 'starting':
      return [run?.status?.reading ? readingText(run.status.reading, t) : t('preparing')];
    case 'running':
      return steps > 0 ? [`${step}/${steps}`, progressPercent(step, steps)] : [];
    case 'stopped':
    case 'failed':
    case 'lost': {
      const diverged = run !== undefined && hasDiverged(run);
      const word = diverged ? t('diverged') : state === 'stopped' ? stopWord(run, t) : stateName(state, t);
      return [step > 0 ? t('{0} at step {1}', word, step) : word];
    }
    case 'finished':
      return [];
    case 'damaged':
      return [t('cannot be read')];
  }
}

/** A trial stopped by its sweep waits for the others, or has lost to them. */
function stopWord(run: RunEntry['run'], t: Translate): string {
  const reason = stopReason(run);
  return reason === 'pruned' ? t('pruned') : reason === 'rung' ? t('waiting for other trials') : t('stopped');
}

function result(entry: RunEntry, { t, locale, now }: RowContext): string[] {
  const { run, state } = entry;
  if (!run) return [];
  const time = isActive(state) ? startTime(run) : lastTime(run);
  const when = time === undefined ? '' : ago(time, now, locale, t);
  return [
    headline(entry, t) ?? '',
    alarmSummary(alarmsOf(run.events), t) ?? '',
    isActive(state) && when ? t('started {0}', when) : when,
  ];
}

function capabilities({ state, run, user }: RunEntry, trusted: boolean): string[] {
  const active = isActive(state);
  const can: Record<string, boolean> = {
    canStop: active,
    canResume: trusted && isResumable({ state, run }),
    canFork: trusted && run !== undefined && checkpointSteps(run).length > 0,
    canExport: trusted && run !== undefined && checkpointSteps(run).length > 0,
    canOpen: run !== undefined,
    canStudy: run !== undefined,
    canShowErrors: run !== undefined && bestEvaluation(run) !== undefined,
    canPlay:
      trusted && run !== undefined && (checkpointSteps(run).length > 0 || bestEvaluation(run)?.best === true),
    canEditUser: true,
    canReveal: true,
    canDiagnose: true,
    canStar: !user.star,
    canUnstar: user.star === true,
    canDelete: !active,
  };
  return ['run', ...Object.keys(can).filter((word) => can[word])];
}
