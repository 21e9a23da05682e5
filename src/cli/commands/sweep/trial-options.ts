import { AuroraError } from '../../../base/errors';
import { executorName, type ExecutorName } from '../../../experiment/cluster';
import type { TrialNames } from '../../../runs/sweep/trial-names';
import { isSilent } from '../../../sweeps/claim-trial';
import type { SweepListener } from '../../../sweeps/sweep-work';
import type { SweepOptions } from '../../../sweeps/where';
import { threadCount, wholeNumber, type ParsedArgs } from '../../command';
import { FALLBACK_OPTION, PLACE_OPTIONS } from '../../device-options';
import { isQuiet, isScreen } from '../../output';
import { TAKE_OVER_OPTION, type Owned } from '../../owning';
import { SweepJson } from './sweep-json';
import { planText } from './sweep-plan';
import { SweepLines, SweepScreen, type SweepView } from './sweep-progress';

export const PLACES: readonly ExecutorName[] = ['local', 'slurm', 'kubernetes'];

/** Options of the commands that train the trials of a sweep. */
export const TRIAL_OPTIONS = {
  on: { type: 'string' },
  cluster: { type: 'string' },
  parallel: { type: 'string' },
  'retry-failed': { type: 'boolean' },
  set: { type: 'string', multiple: true },
  lease: { type: 'boolean' },
  ...TAKE_OVER_OPTION,
  json: { type: 'boolean' },
  ...PLACE_OPTIONS,
  ...FALLBACK_OPTION,
  threads: { type: 'string' },
} as const;

/** The options of such a command, as its sweep takes them. */
export function optionsOf(args: ParsedArgs): SweepOptions {
  const given = args.text('on');
  const on = PLACES.find((place) => place === given);
  if (given !== undefined && !on)
    throw new AuroraError('usage', `--on takes local, slurm or kubernetes, not "${given}".`);
  const parallel = args.text('parallel');
  return {
    on,
    clusterFile: args.text('cluster'),
    set: args.list('set'),
    parallel: parallel === undefined ? undefined : Math.max(1, wholeNumber('parallel', parallel)),
    threads: threadCount(args.text('threads'), {}),
    threadsHere: threadCount(args.text('threads')),
    engine: args.text('engine'),
    device: args.text('device'),
    fallBack: args.flag('fallback'),
    acceptInputs: args.flag('accept-changed-inputs'),
    retryFailed: args.flag('retry-failed'),
    once: args.flag('no-wait'),
    lease: args.flag('lease'),
  };
}

/** Shows a sweep's progress, with its plan once the trials are checked. */
export class Shown implements SweepListener {
  view!: SweepView;

  constructor(private readonly args: ParsedArgs) {}

  readonly begin: SweepListener['begin'] = (record, trials) => {
    this.view.begin(record);
    if (this.args.flag('json') || !isQuiet()) this.view.plan(planText(record, trials));
  };
  readonly looked: SweepListener['looked'] = (trials, verdicts) => this.view.looked(trials, verdicts);
  readonly warn: SweepListener['warn'] = (message) => this.view.warn(message);
  readonly sending: SweepListener['sending'] = (now) => this.view.sending(now);
}

export const viewOf = (args: ParsedArgs, names: TrialNames): SweepView =>
  args.flag('json')
    ? new SweepJson(names)
    : isScreen(process.stderr)
      ? new SweepScreen(names)
      : new SweepLines(names);

/** The first Ctrl-C in these words: trials on a cluster continue without the command. */
export const interruptedWords = (on: ExecutorName): string =>
  on === 'local'
    ? 'Stopping: the running trials finish their step and save. Press Ctrl-C again to quit without waiting for them.'
    : `This command no longer follows the trials; they stay on ${executorName(on)}.`;

/**
 * The claim by which this command becomes the only one that writes to the sweep's folder, whose trials were trained there
 * so far.
 */
export const ownedBy = (args: ParsedArgs, folder: string, on: ExecutorName): Owned => ({
  ...{ folder, what: 'sweep', takeOver: args.flag('take-over') },
  // It only follows: what it has submitted is on disk, and the scheduler decides who trains.
  ...(on !== 'local' && { hasEnded: () => isSilent(folder) }),
});
