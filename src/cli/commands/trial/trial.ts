import { resolve } from 'node:path';
import { EXIT } from '../../../base/errors';
import { readTask, type TaskFile } from '../../../runs/sweep/task';
import { claimTrial } from '../../../sweeps/claim-trial';
import { recordFailure } from '../../../training/process/failure';
import { parsePausePoint } from '../../../training/loop/plan';
import type { TrainOutcome } from '../../../training/run/conclude';
import { createFolder } from '../../../runs/layout';
import { beginTrial, hasFinished } from '../../../sweeps/begin-trial';
import { one, type Command } from '../../command';
import { requestOf } from '../../place';
import { trainRun } from '../../training';
import { despiteDisk } from './passing';
import { onSchedulerSignal } from './signals';

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
