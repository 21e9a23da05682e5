import { join } from 'node:path';
import { t } from '../../base/l10n';
import { executorName, type ExecutorName } from '../../experiment/cluster';
import { sweepOf } from '../../runs/experiment/load';
import type { Sweep } from '../../runs/experiment/sweep-trials';
import { experimentName, experimentSweeps } from '../../runs/layout';
import { askingAboutInputs, askingBefore, type Asks } from '../ask/asking-before';
import { readChecked, requireUsable } from '../ask/checked-experiment';
import { starting } from '../ask/starting';
import type { ResumeOptions } from '../launcher/client';
import { askedToStop, sweepEnded } from '../notices/end-notice';
import type { ExperimentEntry } from '../runs/store';
import type { Services } from '../services';
import { trialsText } from '../words/sweep-row';
import type { QueuedRun, QueuedWork } from './run-queue';

/**
 * Starts an item that has waited. Resolves once it is listed as running.
 *
 * @param attended true if the user is there to be asked; otherwise, a question is an error
 * @returns false if the user declined
 */
export async function startQueued(services: Services, item: QueuedRun, attended: boolean): Promise<boolean> {
  const { name } = item.spec;
  switch (item.kind) {
    case 'run':
      return Boolean(await startRun(services, item));
    case 'resume':
      return startResume(services, item.run, name, attended);
    case 'fork':
      return Boolean(await startFork(services, item, name, attended));
    case 'claim':
      return startClaim(services, item.file, item, { decided: item.decided, attended });
    case 'sweep': {
      const asks = { decided: item.decided, attended };
      const sweep = sweepOf(await requireUsable(await readChecked(item.file)));
      return startSweep(services, item.file, sweep, asks);
    }
  }
}

/** Starts a run of an experiment's text. Returns its folder, once it is listed. */
export async function startRun(
  { store, trainer }: Pick<Services, 'store' | 'trainer'>,
  { file, text, spec }: Pick<Extract<QueuedRun, { kind: 'run' }>, 'file' | 'text' | 'spec'>,
): Promise<string> {
  const title = t('Starting {0}', spec.name);
  const run = await starting(title, () => trainer.start(file, [], text));
  await store.refreshRun(run);
  return run;
}

/** With other settings outside its `sweep` section, an experiment has another sweep. */
export const sweepFolderOf = (file: string, { baseHash }: Sweep): string =>
  join(experimentSweeps(file), baseHash);

/**
 * Starts or continues an experiment's sweep. Asks if its files have changed, or if another machine may be running it.
 *
 * @returns false if the user declined
 */
export async function startSweep(
  services: Services,
  file: string,
  sweep: Sweep,
  asks: Asks,
  on: ExecutorName = 'local',
): Promise<boolean> {
  const { store, trainer } = services;
  const folder = sweepFolderOf(file, sweep);
  const [name, trials] = [experimentName(file), trialsText(sweep.trials.length)];
  const title =
    on === 'local'
      ? t('Starting the sweep of {0}: {1}', name, trials)
      : t('Starting the sweep of {0} on {1}: {2}', name, executorName(on), trials);
  // Its check reports problems here, for each trial.
  askedToStop.add(folder);
  let started: boolean;
  let entry: ExperimentEntry | undefined;
  try {
    started = await askingBefore(
      (options) => starting(title, () => trainer.startSweep(file, folder, { ...options, on })),
      asks,
      t(
        'Restore the original files to keep new trials comparable with earlier ones. If you continue, the sweep records which files changed.',
      ),
    );
  } finally {
    await store.refresh();
    entry = (await store.experiments()).find((e) => e.file === file);
    askedToStop.delete(folder);
  }
  // It may have ended before it was seen running.
  const now = entry?.sweeps.find((s) => s.folder === folder);
  if (started && now?.record.ended && now.state !== 'running')
    void sweepEnded(services, now, entry?.runs ?? []);
  return started;
}

/**
 * Tests or continues a claim. Asks if another machine may be testing it.
 *
 * @param folder the claim's, which need not exist
 * @param seconds of a run of each method, if they have been measured
 * @returns false if the user declined
 */
export async function startClaim(
  { store, trainer }: Starts,
  file: string,
  { folder, seconds }: { folder: string; seconds?: readonly number[] },
  asks: Asks,
  on: ExecutorName = 'local',
): Promise<boolean> {
  const name = experimentName(file);
  const title =
    on === 'local'
      ? t('Testing the claim of {0}', name)
      : t('Testing the claim of {0} on {1}', name, executorName(on));
  try {
    return await askingBefore(
      ({ takeOver }) =>
        starting(title, () =>
          trainer.startClaim(file, folder, { takeOver, on, ...(seconds && { seconds }) }),
        ),
      asks,
    );
  } finally {
    await store.refresh();
  }
}

type Starts = Pick<Services, 'store' | 'trainer'>;

/**
 * Continues a run. Asks if its files have changed, or if another machine may be training it; if `attended` is false,
 * these are errors.
 *
 * @param name its experiment's, for messages
 * @returns false if the user declined
 */
export async function startResume(
  { store, trainer }: Starts,
  run: string,
  name: string,
  attended = true,
): Promise<boolean> {
  const title = t('Resuming {0}', name);
  const resume = (options: ResumeOptions) => starting(title, () => trainer.resume(run, options));
  const resumed = await askingBefore(resume, { attended });
  if (resumed) await store.refreshRun(run);
  return resumed;
}

/** Forks a run. Returns the fork's folder, once it is listed; undefined if the user declined to use changed files. */
export async function startFork(
  { store, trainer }: Starts,
  { run, step, overrides }: Extract<QueuedWork, { kind: 'fork' }>,
  name: string,
  attended = true,
): Promise<string | undefined> {
  const title = t('Forking {0} at step {1}', name, step);
  const begin = (accept: boolean) => starting(title, () => trainer.fork(run, step, overrides, accept));
  const fork = await (attended ? askingAboutInputs(begin) : begin(false));
  if (fork !== undefined) await store.refreshRun(fork);
  return fork;
}
