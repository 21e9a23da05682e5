import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { agreesTo, whereToRun } from '../cluster/where-to-run';
import { savedExperiment } from '../hub/downloading';
import { startUnlessBusy } from '../queue/ask-busy';
import { startSweep, sweepFolderOf } from '../queue/start-queued';
import type { SweepEntry } from '../runs/store';
import type { Services } from '../services';
import type { ResumeOptions } from '../launcher/client';
import { askedToStop } from '../notices/end-notice';
import { untrusted } from '../../executors/missing-piece';
import { sweepEndText } from '../words/end-text';
import { isTreeNode } from '../runs/nodes';
import { isUnfollowed } from '../words/cluster/cluster-words';
import { bySweep, trialsText } from '../words/sweep-row';
import { experimentFrom } from '../ask/pick';
import { runAnyway } from './training/train-experiment';
import { requireUsable } from '../ask/checked-experiment';
import { sweepOf } from '../../runs/experiment/load';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/**
 * Saves the file, checks every trial, and starts or continues the sweep; if it is already running, only opens its page. If
 * something else is in progress, the user may queue it instead.
 *
 * @param decided the user's earlier decisions
 * @param always true to ask where to run even if nothing but this machine is configured
 */
export async function runSweep(
  services: Services,
  argument: unknown,
  decided: ResumeOptions,
  always = false,
): Promise<void> {
  const { store, panels } = services;
  const file =
    (await sweepAt(services, argument))?.experiment ??
    (await experimentFrom(services, argument, t('Select an experiment to run its sweep')));
  if (file === undefined) return;
  if (!vscode.workspace.isTrusted) throw untrusted();
  const checked = await savedExperiment(services, file);
  if (!checked) return;
  const sweep = sweepOf(await requireUsable(checked));
  const folder = sweepFolderOf(file, sweep);
  const begun = (await store.experiments()).flatMap((e) => e.sweeps).find((s) => s.folder === folder);
  if (begun?.state === 'running') return panels.openSweep(folder);
  // A sweep that began somewhere continues there.
  const title = t('Run the sweep of {0}: {1}', experimentName(file), trialsText(sweep.trials.length));
  const on = begun ? (begun.record.on ?? 'local') : await whereToRun(sweep.cluster, title, always);
  if (on === undefined || (on !== 'local' && !(await agreesTo(services, file, on, sweep.cluster)))) return;
  if (!(await runAnyway(services, checked, on === 'local'))) return;
  const start = () => startSweep(services, file, sweep, { decided }, on);
  // A cluster's trials leave this machine to others.
  const started =
    on === 'local'
      ? await startUnlessBusy(services, { kind: 'sweep', file, spec: sweep.base, decided }, start)
      : await start();
  if (started) panels.openSweep(folder);
}

/** Asks which one, if several are running. */
export async function stopSweep(services: Services, argument: unknown): Promise<void> {
  const { store, trainer, panels } = services;
  const sweep = (await sweepAt(services, argument)) ?? (await runningSweep(services));
  if (!sweep) return;
  askedToStop.add(sweep.folder);
  try {
    const name = experimentName(sweep.experiment);
    const title = t('Stopping the sweep of {0}: its trials finish the current step and save', name);
    const location = vscode.ProgressLocation.Window;
    // Nobody may follow a sweep whose trials are in a cluster's queue.
    const state = await withProgress({ location, title }, async () => {
      if (sweep.state === 'running') return (await trainer.stop(sweep.folder)).state;
      await trainer.cancelTrials(sweep.experiment, 'all');
      return 'stopped';
    });
    await store.refresh();
    const entry = (await store.experiments()).find((e) => e.file === sweep.experiment);
    const after = entry?.sweeps.find((s) => s.folder === sweep.folder) ?? sweep;
    const { runs } = bySweep([after], entry?.runs ?? []).groups[0] ?? { runs: [] };
    const { message } = sweepEndText(after, runs);
    const isGood = state === 'stopped' || state === 'finished';
    const say = isGood ? notify.information : notify.warning;
    // VS Code shows a message without buttons on one line, cut off.
    const open = t('Open Sweep');
    void say(message, open).then((picked) => {
      if (picked === open) panels.openSweep(sweep.folder);
    });
  } finally {
    askedToStop.delete(sweep.folder);
  }
}

async function sweepAt({ store }: Services, argument: unknown): Promise<SweepEntry | undefined> {
  if (!isTreeNode(argument) || argument.kind !== 'sweep') return undefined;
  const sweeps = (await store.experiments()).flatMap((e) => e.sweeps);
  return sweeps.find((s) => s.folder === argument.folder);
}

/** The only running sweep, or the one that is picked. */
async function runningSweep({ store }: Services): Promise<SweepEntry | undefined> {
  const running = (await store.experiments()).flatMap((e) =>
    e.sweeps.filter((s) => s.state === 'running' || isUnfollowed(s)),
  );
  if (running.length === 0) void notify.information(t('No sweep is running in this workspace.'));
  if (running.length < 2) return running[0];
  const items = running.map((sweep) => ({ label: experimentName(sweep.experiment), sweep }));
  const title = t('Select a sweep to stop');
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.sweep;
}
