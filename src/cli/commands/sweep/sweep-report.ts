import { dirname } from 'node:path';
import { count, stepTime } from '../../../base/number-text';
import { capital } from '../../../base/text';
import { executorName } from '../../../experiment/cluster';
import { formatMetric, metricInfo, metricValue } from '../../../experiment/metrics';
import { trialText } from '../../../experiment/run-names';
import { RATE, SEED, settingText, shortKeys } from '../../../experiment/sweep';
import { changeWords } from '../../../protocol/inputs-words';
import { readScalars } from '../../../runs/curve/scalars';
import { bestOf, isBusy, type TrialView } from '../../../runs/sweep/look';
import type { SweepRecord } from '../../../runs/sweep/record';
import type { TrialNames } from '../../../runs/sweep/trial-names';
import { byCause, trialsText } from '../../../sweeps/causes';
import { leftText } from '../../../sweeps/ended';
import { isOver, undecided } from '../../../sweeps/halving';
import type { SweepOutcome } from '../../../sweeps/sweep-queue';
import { hints } from '../../output';
import { commandLine } from '../../suggested-commands';
import { table } from '../../table';
import { pathOf, ranked, stateText } from './sweep-progress';

/** The most trials that are listed: beyond it, a terminal shows the best; a command shows all. */
const MOST_LISTED = 100;

/** The result of a sweep: its trials, best first, the failures, and the next steps. */
export function sweepReport(
  record: SweepRecord,
  { trials, stopped, elsewhere }: SweepOutcome,
  names: TrialNames,
): string {
  const { metric, varied } = record;
  const begun = ranked(trials, metric).filter((t) => t.folder !== undefined);
  const keys = shortKeys(varied);
  const rows = [
    [
      'run',
      metricInfo(metric).label,
      'step',
      ...varied.map((key) => keys.get(key)!),
      'step time',
      '',
      'folder',
    ],
    ...begun.slice(0, MOST_LISTED).map((t) => row(t, record, names)),
  ];
  const more = begun.length - MOST_LISTED;
  // On a cluster, also one that has ended before it had a folder.
  const failed = ranked(trials, metric).filter((t) => t.state === 'failed');
  const causes = byCause(
    failed.map(({ record: { number }, error }) => ({
      number,
      message: error?.message ?? '',
      hint: error?.hint,
    })),
  );
  const recordOf = new Map(record.trials.map((trial) => [trial.number, trial]));
  const namesOf = (numbers: readonly number[]) =>
    capital(
      trialsText(
        numbers.map((n) => recordOf.get(n)!),
        names,
      ),
    );
  const [best] = begun;
  const next =
    best && bestOf(best, metric) && !best.diverged && !stopped
      ? [`Best: ${names.of(best.record)}.`, ...nextSteps(best)]
      : [];
  return [
    '',
    ...(begun.length ? table(rows) : []),
    ...(more > 0 ? [`${count(more)} more: ${commandLine('runs', dirname(best!.folder!))}`] : []),
    '',
    ...causes
      .slice(0, MOST_LISTED)
      .flatMap(({ numbers, message, hint }) => [
        `${namesOf(numbers)} failed: ${message}`,
        ...(hint ? [`  ${hint}`] : []),
      ]),
    ...(causes.length > MOST_LISTED
      ? [`${count(causes.slice(MOST_LISTED).reduce((n, c) => n + c.numbers.length, 0))} more failed.`]
      : []),
    ...(failed.length ? [...againWith(failed, names), ''] : []),
    ...undecidedTexts(record, trials, names),
    ...[...elsewhere].map(([id, owner]) => leftText(record, id, owner, names)),
    ...(elsewhere.size ? [TAKE_OVER_HINT, ''] : []),
    ...(record.acceptedInputs ?? []).flatMap(({ trial, files }) => [
      `From ${namesOf([trial])} on, new trials were trained on changed files: ${files.map(changeWords).join('. ')}.`,
      '',
    ]),
    ...(stopped === 'detached' ? leftWith(record, trials) : []),
    ...(stopped && stopped !== 'owned' && stopped !== 'detached'
      ? ['Stopped; everything is saved. Run the same command to continue.']
      : next),
    '',
  ].join('\n');
}

/** The cluster's remaining work when nobody follows it any more. */
function leftWith({ on }: SweepRecord, trials: readonly TrialView[]): string[] {
  const queued = trials.filter((t) => t.state === 'queued').length;
  const running = trials.filter(isBusy).length - queued;
  return [
    `${queued} queued and ${running} running on ${executorName(on ?? 'local')}. Run the same command to follow them and to submit the rest; with --cancel all, it cancels them.`,
  ];
}

/** Searches in which no learning rate could be chosen. */
function undecidedTexts(
  { spec, metric, varied }: SweepRecord,
  trials: readonly TrialView[],
  names: TrialNames,
): string[] {
  if (!spec.learningRateSearch) return [];
  const planned = trials.filter((t) => t.record.planned);
  return undecided(planned, spec.learningRateSearch, metric).flatMap((search) => {
    const keys = varied.filter((key) => key !== RATE && key !== SEED);
    const of = trialText(search[0].record.settings, keys);
    const left = search.filter((t) => !isOver(t)).map((t) => t.record);
    return [
      `No learning rate was chosen${of && ` for ${of}`}: each had a run that diverged or failed.`,
      ...(left.length ? [`  Not trained with other seeds: ${trialsText(left, names)}.`] : []),
      '  Add lower learning rates to the sweep and run it again.',
      '',
    ];
  });
}

const TAKE_OVER_HINT =
  'Make sure that the process has ended, then repeat the command with --take-over. Or wait until it has trained the trial.';

function row(trial: TrialView, { metric, varied }: SweepRecord, names: TrialNames): string[] {
  const best = bestOf(trial, metric);
  const seconds = secondsPerStep(trial.folder!);
  return [
    names.short(trial.record),
    best ? formatMetric(metric, metricValue(best.metrics, metric)) : '–',
    best ? String(best.step) : '–',
    ...varied.map((key) =>
      Object.hasOwn(trial.record.settings, key) ? settingText(key, trial.record.settings[key]) : '–',
    ),
    seconds === undefined ? '–' : stepTime(seconds),
    stateText(trial),
    pathOf(trial),
  ];
}

/** The median, since trials run in parallel and the first step includes the warm-up. */
function secondsPerStep(run: string): number | undefined {
  try {
    const seconds = readScalars(run).column('seconds')?.sort();
    return seconds?.at(seconds.length >> 1);
  } catch {
    return undefined;
  }
}

/** The option that continues failed trials; accepting changed files needs a different one. */
function againWith(failed: readonly TrialView[], names: TrialNames): string[] {
  const changed = failed.filter((t) => t.error?.error === 'inputs');
  const accept = 'to continue with the files as they are now, use --accept-changed-inputs';
  if (changed.length === failed.length)
    return [`Once you have restored the files, use --retry-failed; ${accept}.`];
  return [
    'Try them again with --retry-failed.',
    ...(changed.length > 0
      ? [
          `${capital(
            trialsText(
              changed.map((t) => t.record),
              names,
            ),
          )}: ${accept}.`,
        ]
      : []),
  ];
}

const nextSteps = (trial: TrialView): readonly string[] =>
  hints(
    `  as ONNX            ${commandLine('export', pathOf(trial), '--as', 'onnx-dynamic')}`,
    `  where it is wrong  ${commandLine('errors', pathOf(trial))}`,
  );
