import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EXIT } from '../../base/errors';
import { isPassing } from '../../files/read';
import type { StopReason } from '../../protocol/events';
import { createFolder } from '../../runs/layout';
import { readTask, type TaskFile } from '../../runs/sweep/task-file';
import { beginTrial, hasFinished } from '../../sweeps/begin-trial';
import { claimTrial } from '../../sweeps/claim-trial';
import { parsePausePoint } from '../../training/loop/training-plan';
import { recordFailure } from '../../training/process/run-failure';
import type { TrainOutcome } from '../../training/run/conclude';
import { type Command, one } from '../command';
import { requestOf } from '../device-options';
import { trainRun } from '../training';

type Signalled = ReturnType<typeof onSchedulerSignal>;

/** The scheduler of a cluster starts this, any number of times for the same task. */
export const trialCommand: Command = {
  help: `Usage: aurora trial TASK.json

Internal: trains the trial of a sweep that TASK.json describes, from its beginning or from its last checkpoint. On SIGTERM and
SIGUSR2, it finishes its step, saves, and exits with 75: start it again. Exits with 0 if the trial has finished, or has
reached the comparison with the others, also if it had before; with 130 if the user stopped it; and with 24 if another
process is training it.
`,
  options: {},
  async run(args) {
    const signalled = onSchedulerSignal();
    const task = await readTask(resolve(one(args, 'task file', 'trial')));
    const { run } = task;
    createFolder(run);
    if (await hasFinished(run)) {
      process.stderr.write(`${run} has finished.\n`);
      return EXIT.ok;
    }
    const owner = await claimTrial(run);
    try {
      return await despiteDisk(
        () => attempt(task, signalled),
        () => signalled() !== undefined,
        ({ message }, pause) => process.stderr.write(`\n${message} Trying again in ${pause / 1000} s.\n`),
      );
    } finally {
      owner.release();
    }
  },
};

async function attempt(task: TaskFile, signalled: Signalled): Promise<number> {
  try {
    return await train(task, signalled);
  } catch (e) {
    // The process that submitted it finds the reason there.
    recordFailure(task.run, e);
    throw e;
  }
}

async function train(task: TaskFile, signalled: Signalled): Promise<number> {
  const { run, threads, frozen, engine, device, fallBack = false } = task;
  const begun = await beginTrial(task);
  if ('done' in begun) {
    process.stderr.write(`${begun.done}\n`);
    return EXIT.ok;
  }
  // Nothing is lost yet, and reading the model may take longer than the scheduler waits.
  const stopped = signalled();
  if (stopped) return stopped === 'preempted' ? EXIT.requeue : EXIT.stopped;
  const { spec, resume, acceptedInputs } = begun;
  const outcome = await trainRun(spec, run, resume, {
    // A resumed run keeps its device.
    device: { ...requestOf(engine, device, fallBack), given: { engine: false, device: false } },
    threads,
    lease: false,
    pauseAt: parsePausePoint(task.until),
    frozen,
    acceptedInputs,
    interrupted: signalled,
  });
  return conclude(outcome);
}

function conclude(outcome: TrainOutcome): number {
  switch (outcome.end) {
    case 'finished':
      process.stderr.write('Finished.\n');
      return EXIT.ok;
    case 'rung':
      process.stderr.write('Paused for comparison with the other trials; everything is saved.\n');
      return EXIT.ok;
    case 'preempted':
      process.stderr.write(`Saved at step ${outcome.step}, to be started again.\n`);
      return EXIT.requeue;
    default:
      process.stderr.write(`Stopped at step ${outcome.step}; everything is saved.\n`);
      return EXIT.stopped;
  }
}

/** Before each new attempt, in ms: most servers are back after minutes. */
const PAUSES = [1000, 10_000, 60_000, 300_000];
const LOOK_MS = 200;

/**
 * Does something that continues where it was, and again if the disk failed in a way that passes: on a cluster, one failure of
 * its file server would otherwise end every trial that runs.
 *
 * @param stopped polled between attempts: true to give up
 * @param failed called with the error and the pause before the next attempt, in ms
 */
async function despiteDisk<T>(
  action: () => Promise<T>,
  stopped: () => boolean,
  failed: (e: Error, pause: number) => void,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    const began = performance.now();
    try {
      return await action();
    } catch (e) {
      // It was well for long: this is another failure.
      if (performance.now() - began > PAUSES.at(-1)!) failures = 0;
      if (!isPassing(e) || stopped() || failures === PAUSES.length) throw e;
      failed(e as Error, PAUSES[failures]);
    }
    const end = performance.now() + PAUSES[failures];
    while (performance.now() < end && !stopped()) await wait(LOOK_MS);
  }
}

/**
 * Asks the trainer to save and end on the signals with which schedulers announce the end of a job: SIGTERM (Slurm's
 * `scancel` and preemption, Kubernetes' eviction) and SIGUSR2 (Slurm's `--signal=USR2@90`). Slurm sends them to every
 * process of a job, more than once, and to the batch script too: none but the first counts, since only a checkpoint
 * makes the step before it worth anything. A process that must not save is killed. Ctrl-C is a person's.
 */
function onSchedulerSignal(): () => StopReason | undefined {
  let asked: StopReason | undefined;
  const ask = (reason: StopReason, words: string) => () => {
    if (asked === undefined) process.stderr.write(`\n${words}\n`);
    asked ??= reason;
  };
  for (const signal of ['SIGTERM', 'SIGUSR2', 'SIGHUP'] as const)
    // Windows has no SIGUSR2, and our schedulers do not run there.
    if (process.platform !== 'win32' || signal !== 'SIGUSR2')
      process.on(signal, ask('preempted', `The scheduler sent ${signal}: stopping after this step.`));
  process.on('SIGINT', ask('requested', 'Stopping after this step.'));
  return () => asked;
}
