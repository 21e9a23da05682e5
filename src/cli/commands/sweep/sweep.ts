import { join, resolve } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { agreedText } from '../../../runs/experiment/agreed-text';
import { ignoredIn, readExperiment, readText, sweepOf } from '../../../runs/experiment/load';
import { createFolder, experimentRuns, experimentSweeps } from '../../../runs/layout';
import { readSweep, type SweepRecord } from '../../../runs/sweep/record';
import { TrialNames } from '../../../runs/sweep/trial-names';
import { cancelTrials } from './cancel';
import { sweepsToCancel } from './cancel-target';
import { bringCheckpoints, namedTrials } from '../../../sweeps/checkpoints';
import { type SweepRequest, beganAt } from '../../../sweeps/where';
import type { SweepOutcome } from '../../../sweeps/sweep-queue';
import { SweepWork } from '../../../sweeps/sweep-work';
import { one, type Command, type ParsedArgs } from '../../command';
import { owning, TAKE_OVER_HELP } from '../../owning';
import { deviceRequest, PLACE_HELP, PLACE_VALUES } from '../../device-options';
import { onInterrupt } from '../../signals';
import { planText, showSubmission } from './sweep-plan';
import { sweepReport } from './sweep-report';
import { interruptedWords, optionsOf, ownedBy, PLACES, Shown, TRIAL_OPTIONS, viewOf } from './trial-options';

export const sweepCommand: Command = {
  help: `Usage: aurora sweep FILE.aurora.json [options]

Trains the trials of the file's "sweep" section, as many in parallel as cores and memory allow. Each trial is a run in
.aurora/runs beside the file. Checks adapters, data and memory of all trials before the first one starts. Ctrl-C lets
the running trials finish their step, save and stop. The same command continues the sweep, even after a shutdown:
finished trials are not trained again, and stopped or killed ones resume from their last checkpoint. Values that you
add to the section later add trials to the existing ones.

  --on PLACE         local, slurm or kubernetes: where trials are trained (default: where the sweep began, else local).
                     A cluster is described in the experiment's "cluster" section. Its jobs do not need this command:
                     Ctrl-C stops following them, and the same command follows them again, on any machine
  --cluster FILE     settings of a cluster in a JSON file, for what the experiment's section leaves out
  --no-wait          submit what is ready to the cluster, and exit
  --cancel all|N,N   cancel all trials or those with these numbers, or with these runs ('#12'): queued ones leave the
                     queue, running ones save
  --checkpoints all|N,N
                     bring the checkpoints of all trials or those with these numbers, or with these runs ('#12'), from
                     a cluster that shares no folder with this machine, where they stay until then
  --write DIR        write what Kubernetes needs (manifests, Dockerfile, trainer) into DIR, and submit nothing
  --parallel N       trials to run in parallel (default: measured, in a few steps of the largest trial)
  --dry-run          show what would be trained and submitted, and train nothing
  --retry-failed     retry failed trials
  --accept-changed-inputs
                     start and resume trials even if the model, tokenizer or data have changed since the sweep or
                     the trial began; recorded in sweep.json and the trial's journal
  --set KEY=VALUE    override a setting of all trials, such as --set training.epochs=1 (may be given several times)
  --text-sha256 HASH start only if the file's text has this hash
  --lease            stop when the file control/lease in the sweep's folder has not been touched for a minute
  --json             JSON lines: plan, trial, warning, end
${TAKE_OVER_HELP}${PLACE_HELP}  --threads N        threads per trial on the CPU (default: cores divided by parallel trials)

Exits with 0 if every trial has finished or was pruned, with 1 if any failed, with 24 if a process on another machine
owns the sweep or one of its trials, with 25 if files have changed since earlier trials were trained on them, and with
130 if it was stopped.
`,
  options: {
    ...TRIAL_OPTIONS,
    'no-wait': { type: 'boolean' },
    cancel: { type: 'string' },
    checkpoints: { type: 'string' },
    write: { type: 'string' },
    'dry-run': { type: 'boolean' },
    'accept-changed-inputs': { type: 'boolean' },
    'text-sha256': { type: 'string' },
  },
  values: { ...PLACE_VALUES, on: PLACES },
  async run(args) {
    const file = resolve(one(args, 'experiment file', 'sweep'));
    const valid = readExperiment(
      file,
      args.list('set'),
      agreedText(file, readText(file), args.text('text-sha256')),
    );
    const sweep = sweepOf(valid);
    // Reports an unknown device once, instead of for each trial.
    deviceRequest(args);
    const folder = join(experimentSweeps(file), sweep.baseHash);
    const shown = new Shown(args);
    const request = { file, folder, sweep, dist: __dirname, options: optionsOf(args) };
    const cancel = args.text('cancel');
    if (cancel !== undefined) return cancelSweeps(args, request, cancel);
    const checkpoints = args.text('checkpoints');
    if (checkpoints !== undefined) return checkpointsOf(request, checkpoints);
    const work = SweepWork.plan(request, shown);
    shown.view = viewOf(args, work.names);
    if (work.where.on === 'local') refuseClusterOptions(args);
    if (args.flag('dry-run') || args.text('write') !== undefined) {
      const { record, trials } = await work.measured();
      shown.view.begin(record);
      shown.view.plan(planText(record, trials));
      if (work.where.on !== 'local') await showSubmission(args, work.where.cluster, record, folder);
      return EXIT.ok;
    }
    for (const { message } of ignoredIn(valid)) process.stderr.write(`Warning: ${message}\n`);
    createFolder(folder);
    return owning(ownedBy(args, folder, (work.left ?? work.where).on), async (takenOver) => {
      if (work.left) await work.move(work.left, takenOver);
      const interrupted = onInterrupt(interruptedWords(work.where.on));
      const { record, outcome } = await work.train(takenOver, interrupted);
      shown.view.end(record, outcome, sweepReport(record, outcome, work.names));
      return request.options.once && outcome.stopped === 'detached' ? EXIT.ok : exitCode(outcome);
    });
  },
};

/** @throws AuroraError 'usage' for an option that only a cluster has */
function refuseClusterOptions(args: ParsedArgs): void {
  for (const option of ['write', 'no-wait'] as const)
    if (args.flag(option) || args.text(option) !== undefined)
      throw new AuroraError(
        'usage',
        `--${option} is for sweeps on a cluster.`,
        'Add --on slurm or --on kubernetes.',
      );
}

/** Cancels trials of the experiment's sweep, or of those that an earlier version of the file has begun. */
async function cancelSweeps(args: ParsedArgs, request: SweepRequest, cancel: string): Promise<number> {
  const { file } = request;
  let code: number = EXIT.ok;
  for (const folder of await sweepsToCancel(file, request.folder, cancel)) {
    const record = begunSweep(file, folder, 'There is nothing to cancel.');
    const which = namedTrials('cancel', cancel, record.trials, new TrialNames(experimentRuns(file)));
    if (!(await cancelTrials(args, { ...request, folder }, record, which))) code = EXIT.stopped;
  }
  return code;
}

async function checkpointsOf(request: SweepRequest, given: string): Promise<number> {
  const { file, folder } = request;
  const record = begunSweep(file, folder, 'There are no checkpoints to bring.');
  const where = beganAt(request, record);
  const count = await bringCheckpoints({
    ...{ folder, runs: experimentRuns(file), trials: record.trials, where, given },
  });
  process.stderr.write(
    `The checkpoints of ${count === 1 ? '1 trial' : `${count} trials`} are in the run folders.\n`,
  );
  return EXIT.ok;
}

function begunSweep(file: string, folder: string, otherwise: string): SweepRecord {
  const record = readSweep(folder);
  if (!record || record.trials.every((t) => t.run === undefined))
    throw new AuroraError('usage', `No trial of ${file} has begun.`, otherwise);
  return record;
}

function exitCode({ stopped, trials }: SweepOutcome): number {
  if (stopped === 'owned') return EXIT.owned;
  if (stopped) return EXIT.stopped;
  return trials.some((t) => t.record.planned && t.state === 'failed') ? EXIT.failed : EXIT.ok;
}
