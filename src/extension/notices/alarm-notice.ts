import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { Alarm } from '../../protocol/alarms';
import { COMMAND } from '../ids';
import { checkpointSteps } from '../../executors/local/run-status';
import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { alarmNotice } from '../words/alarm-text';
import { AlarmBatches } from './alarm-batches';
import { notify } from '../messages/notify';

/** Shows a notification when something goes wrong with a run: one for alarms in quick succession. */
export function registerAlarmNotice(services: Services): vscode.Disposable {
  const { store, log } = services;
  // Alarms from before this window opened are in the tree.
  const batches = new AlarmBatches(
    Date.now(),
    (run, alarms) => void show(services, run, alarms).catch((e: Error) => log.error(e)),
  );
  const note = (runs: readonly RunEntry[]) => {
    for (const { folder, run, trial } of runs) {
      // A sweep compares good and bad settings on purpose, and continues; its rows and its report show them.
      if (!run || trial) continue;
      batches.note(folder, run.events);
    }
  };
  const changed = store.onDidChange((runs) => {
    if (runs) note(runs);
    else void store.runs().then(note, (e: Error) => log.error(e));
  });
  return vscode.Disposable.from(changed, batches);
}

async function show({ store }: Services, folder: string, alarms: readonly Alarm[]): Promise<void> {
  const entry = store.run(folder);
  if (!entry) return;
  const { message, canStop, fork } = alarmNotice(entry, alarms, await checkpointSteps(folder));
  const stop = t('Stop');
  const buttons = [...(canStop ? [stop] : []), fork.title];
  const picked = await notify.warning(message, ...buttons);
  const stopping = picked !== undefined && isActive(store.run(folder)?.state ?? 'finished');
  // This also precedes a fork, which replaces the run: two would share the device.
  if (stopping) await vscode.commands.executeCommand(COMMAND.stopRun, folder);
  if (picked === fork.title)
    await vscode.commands.executeCommand(COMMAND.forkRun, folder, fork.step, fork.overrides);
}
