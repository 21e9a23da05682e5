import { preparingText } from '../../protocol/preparing';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import { endReason, isExplained } from '../../protocol/run-files/unexpected-end';
import { isTroubled, troubleSummary } from '../../protocol/alarms';
import { betterAnswer, worseWords } from '../../protocol/baseline';
import { hasDiverged } from '../../runs/outcome';
import {
  bestEvaluation,
  checkpointSteps,
  importOf,
  isPruned,
  lastTime,
  metricOf,
  runLabel,
  startTime,
  stopReason,
} from '../runs/label';
import { isActive, isResumable } from '../runs/shown-state';
import type { RunEntry, ShownState } from '../runs/store';
import { reasonWords } from './cluster/cluster-words';
import { errorOf, shortened } from './run-error';
import { ago } from './format';
import { progressPercent } from '../../base/number-text';
import { t } from '../../base/l10n';

/** The content of a tree row, from which VS Code's tree item is made. */
export interface Row {
  /** The beginning of the row, which is readable however long the label and narrow the side bar is: the metric. */
  lead?: string;
  label: string;
  description: string;
  /** A codicon and, if meaningful, a theme color. */
  icon: { id: string; color?: string };
  /** The commands for it; menus ask for them by `can`. */
  capabilities: string[];
  /** The row as a sentence for screen readers. */
  spoken: string;
}

export interface RowContext {
  locale: string;
  now: number;
  /** True if code may be executed here. */
  trusted: boolean;
}

export const ICONS: Record<ShownState, Row['icon']> = {
  queued: { id: 'clock' },
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
const isAlarming = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  (state === 'running' || state === 'finished') &&
  run !== undefined &&
  (isTroubled(run.events) || betterAnswer(run) !== undefined);

export function runRow(entry: RunEntry, context: RowContext): Row {
  const label = runLabel(entry);
  const { lead, parts } = words(entry, context);
  const warned = isAlarming(entry) ? [t('warning')] : [];
  const star = entry.user.star ? [t('starred')] : [];
  return {
    lead,
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
    spoken: [
      ...new Set([t('Run {0}', label), stateWord(entry), ...warned, ...star, ...said(lead, parts)]),
    ].join(', '),
  };
}

/** An imported adapter without training yet: nothing was stopped. */
const isUntrainedImport = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  state === 'stopped' && run?.status?.step === 0 && importOf(run) !== undefined;

/** A run's state in one word; one that waits in a cluster's queue may have begun before. */
export const stateWord = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): string =>
  state === 'queued' && stopReason(run) === 'preempted' ? t('preempted') : stateName(state);

/** A run's state in one word. */
export function stateName(state: ShownState): string {
  switch (state) {
    case 'queued':
      return t('queued');
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
 * The best value so far of the run's metric, with the metric's name: "64.4% accuracy". A constant answer that does better
 * follows.
 */
export function headline(entry: RunEntry): string | undefined {
  const best = bestOf(entry);
  return best && [`${best.value} ${best.metric}`, ...worse(entry)].join(', ');
}

/** A note that a constant answer does better; empty if none does. */
function worse({ run }: RunEntry): string[] {
  const better = run && betterAnswer(run);
  return better ? [worseWords(better)] : [];
}

function bestOf({ run }: RunEntry): { value: string; metric: string } | undefined {
  const best = run && bestEvaluation(run);
  if (!best) return undefined;
  const metric = metricOf(run);
  return {
    value: formatMetric(metric, metricValue(best.metrics, metric)),
    metric: metricInfo(metric).label,
  };
}

function progress(entry: RunEntry): string[] {
  const { state, run, cluster } = entry;
  const { step, steps } = run?.status ?? { step: 0, steps: 0 };
  if (isUntrainedImport({ state, run })) return [importOf(run!)!.combination ? t('combined') : t('imported')];
  const why = cluster && reasonWords(cluster);
  const reason = why === undefined ? [] : [why];
  switch (state) {
    case 'queued': {
      const word = stateWord(entry);
      return [step > 0 ? t('{0} at step {1}', word, step) : word, ...reason];
    }
    case 'starting':
      return [run?.status?.preparing ? preparingText(run.status.preparing) : t('preparing')];
    case 'running':
      return [
        ...(steps > 0 ? [t('step {0}', `${step}/${steps}`), progressPercent(step, steps)] : []),
        ...(cluster?.node === undefined ? [] : [t('on {0}', cluster.node)]),
      ];
    case 'stopped':
    case 'failed':
    case 'lost': {
      const diverged = run !== undefined && hasDiverged(run);
      const word = diverged ? t('diverged') : state === 'stopped' ? stopWord(run) : stateName(state);
      const place = step > 0 ? t('{0} at step {1}', word, step) : word;
      const error = state === 'failed' && !diverged ? errorOf(entry) : undefined;
      if (error) return [firstSentence(error.message), place];
      const { end } = entry;
      if (state === 'lost' && !cluster && end && isExplained(end))
        return [place, shortened(entry, { message: endReason(end) }).message];
      return diverged || state === 'stopped' ? [place] : [place, ...reason];
    }
    case 'finished':
      return [];
    case 'damaged':
      return [firstSentence(errorOf(entry)?.message ?? t('cannot be read'))];
  }
}

/** Up to the first full stop or colon that ends a sentence: names of files, numbers and places in them have some too. */
const firstSentence = (text: string): string =>
  /^[^]*?(\.|(?<!\d):)(?=\s|$)/.exec(text)?.[0].replace(/[.:]$/, '') ?? text;

/** A trial stopped by its sweep waits for the others, or has lost to them. */
function stopWord(run: RunEntry['run']): string {
  const reason = stopReason(run);
  if (reason === 'preempted') return t('preempted');
  return reason === 'pruned' ? t('pruned') : reason === 'rung' ? t('waiting for other trials') : t('stopped');
}

/** The row begins with the metric; if a run went wrong, the description begins with the problem. */
function words(entry: RunEntry, { locale, now }: RowContext): { lead?: string; parts: string[] } {
  const { run, state } = entry;
  const best = bestOf(entry);
  const went = progress(entry);
  const time = run && (isActive(state) ? startTime(run) : lastTime(run));
  const when = time === undefined ? '' : ago(time, now, locale);
  const wrong = state === 'failed' || state === 'lost' || state === 'damaged';
  const parts = [
    ...(wrong
      ? [...went, headline(entry) ?? '']
      : [[best?.metric ?? '', ...worse(entry)].join(', '), ...went]),
    (run && troubleSummary(run.events)) ?? '',
    isActive(state) && when ? t('started {0}', when) : when,
  ].filter((part) => part !== '');
  return wrong || !best ? { parts } : { lead: best.value, parts };
}

/** The parts with the lead before the name of its metric. */
const said = (lead: string | undefined, parts: readonly string[]): readonly string[] =>
  lead === undefined ? parts : [`${lead} ${parts[0]}`, ...parts.slice(1)];

/** The commands that are possible for a run. */
export function capabilities({ state, run, user, cluster }: RunEntry, trusted: boolean): string[] {
  // A scheduler will start one that is queued.
  const active = isActive(state) || state === 'queued';
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
    canShowClusterLog: cluster?.log !== undefined,
    canStar: !user.star,
    canUnstar: user.star === true,
    canDelete: !active,
  };
  return ['run', ...Object.keys(can).filter((word) => can[word])];
}
