import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { registerGuarded } from '../../ask/guard';
import { experimentFrom, runFrom } from '../../ask/pick';
import { starting } from '../../ask/starting';
import { explaining } from '../../ask/training-problems';
import { COMMAND } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import { notify } from '../../messages/notify';
import { registerAlarmNotice } from '../../notices/alarm-notice';
import { askedToStop, registerEndNotice } from '../../notices/end-notice';
import { registerStatusBar } from '../../notices/status-bar';
import { experimentLabel } from '../../runs/label';
import { isActive } from '../../runs/shown-state';
import type { Services } from '../../services';
import { registerTerminals } from '../../terminal/terminal';

export const contributes: Contributes = {
  commands: {
    runExperiment: {
      title: 'Run Experiment',
      icon: 'play',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canRun', group: '1_run@1' },
        { at: 'row', can: 'canRun', group: 'inline@1' },
        { at: 'explorer', of: 'experiment', group: 'aurora@1' },
        { at: 'editor', group: 'navigation@1' },
      ],
    },
    stopRun: {
      title: 'Stop Run',
      icon: 'debug-stop',
      palette: 'aurora.hasRunning',
      menus: [
        { at: 'run', can: 'canStop', everyView: true, group: '1_run@1' },
        { at: 'row', can: 'canStop', everyView: true, group: 'inline@1' },
      ],
    },
    resumeRun: {
      title: 'Resume Run',
      icon: 'debug-continue',
      palette: 'aurora.hasRuns',
      menus: [
        { at: 'run', can: 'canResume', group: '1_run@1' },
        { at: 'row', can: 'canResume', group: 'inline@1' },
      ],
    },
    forkRun: {
      title: 'Fork Run',
      icon: 'repo-forked',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canFork', group: '1_run@2' }],
    },
  },
};

/** Training and what reports on it: commands, the status bar item, notifications, `aurora` in terminals. */
export const registerTraining = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    on(services, COMMAND.runExperiment, runExperiment),
    on(services, COMMAND.stopRun, stopRun),
    on(services, COMMAND.resumeRun, async (_, run) =>
      (await import('./resume-command')).resumeRun(services, run),
    ),
    on(services, COMMAND.forkRun, async (...args) => (await import('./fork-command')).forkRun(...args)),
    registerStatusBar(services),
    registerEndNotice(services),
    registerAlarmNotice(services),
    registerTerminals(services),
  );

function on(
  services: Services,
  command: string,
  action: (services: Services, argument: unknown, ...args: unknown[]) => Promise<unknown>,
): vscode.Disposable {
  return registerGuarded(services.log, command, (argument, ...args) =>
    explaining(() => action(services, argument, ...args)),
  );
}

/** @returns the new run folder */
async function runExperiment(services: Services, argument: unknown): Promise<string | undefined> {
  const title = t('Select an experiment to run');
  const file = await experimentFrom(services, argument, title);
  if (file === undefined) return undefined;
  const { trainExperiment } = await import('./train-experiment');
  return trainExperiment(services, file);
}

async function stopRun(services: Services, argument: unknown): Promise<void> {
  const { store, trainer } = services;
  const { clusterTrialOf, stopTrial } = await import('../../cluster/cluster-trial');
  const trial = await clusterTrialOf(services, argument);
  if (trial) return stopTrial(services, trial);
  const run = await runFrom(services, argument, {
    title: t('Select a run to stop'),
    filter: (r) => isActive(r.state),
  });
  if (!run) return;
  const picked = await clusterTrialOf(services, run.folder);
  if (picked) return stopTrial(services, picked);
  askedToStop.add(run.folder);
  try {
    const title = t('Stopping {0}: the current step is finished and saved', experimentLabel(run));
    const outcome = await starting(title, () => trainer.stop(run.folder));
    await store.refreshRun(run.folder);
    const message = `${experimentLabel(run)}: ${outcome.message}`;
    if (outcome.state === 'stopped' || outcome.state === 'finished') return void notify.information(message);
    const show = t('Show Log');
    void notify.warning(message, show).then((picked) => {
      if (picked === show) void vscode.commands.executeCommand(COMMAND.showLog, run.folder);
    });
  } finally {
    askedToStop.delete(run.folder);
  }
}
