import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { COMMAND } from '../ids';
import type { SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { unreachableText } from '../words/cluster/cluster-words';
import { lossText } from '../words/cluster/loss-text';
import { notify } from '../messages/notify';

/** A notification of lost trials, by their ids. */
export async function tellLosses(services: Services, folder: string, ids: readonly string[]): Promise<void> {
  const found = (await services.store.experiments()).flatMap(({ sweeps, runs }) =>
    sweeps.filter((s) => s.folder === folder).map((sweep) => ({ sweep, runs })),
  );
  const message = found.length > 0 ? lossText(found[0].sweep, found[0].runs, ids) : undefined;
  if (message === undefined) return;
  const [open, log] = [t('Open Sweep'), t('Show Cluster Log')];
  const buttons = [...(ids.length === 1 ? [log] : []), open];
  const picked = await notify.warning(message, ...buttons);
  if (picked === open) services.panels.openSweep(folder);
  if (picked === log)
    await vscode.commands.executeCommand(COMMAND.showClusterLog, { kind: 'trial', folder, trial: ids[0] });
}

/** A notification that the scheduler does not answer. */
export async function tellUnreachable({ panels }: Services, { cluster, folder }: SweepEntry): Promise<void> {
  const open = t('Open Sweep');
  const what = unreachableText(cluster!, vscode.env.language);
  const picked = await notify.warning(
    `${what} ${t('Nothing is lost; polling continues until it responds.')}`,
    open,
  );
  if (picked === open) panels.openSweep(folder);
}
