import type { StopReason } from '../../../protocol/events';

/**
 * Asks the trainer to save and end on the signals with which schedulers announce the end of a job: SIGTERM (Slurm's
 * `scancel` and preemption, Kubernetes' eviction) and SIGUSR2 (Slurm's `--signal=USR2@90`). Slurm sends them to every
 * process of a job, more than once, and to the batch script too: none but the first counts, since only a checkpoint
 * makes the step before it worth anything. A process that must not save is killed. Ctrl-C is a person's.
 */
export function onSchedulerSignal(): () => StopReason | undefined {
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
