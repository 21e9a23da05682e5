import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { runsInTreeOrder } from '../../ask/order';
import { runItem } from '../../ask/run-item';
import { bestEvaluation } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { notify } from '../../messages/notify';

/**
 * Runs to compare: those with the same labels first, then the others, which answer a different question.
 *
 * @param there folders that are already shown
 */
export async function pickRuns(
  services: Services,
  labels: readonly string[],
  there: readonly string[],
): Promise<string[]> {
  const runs = (await runsInTreeOrder(services)).filter((r) => isTrained(r) && !there.includes(r.folder));
  if (runs.length === 0) {
    void notify.information(
      t('This workspace has no other run that was evaluated. Train another one to compare it.'),
    );
    return [];
  }
  const same = runs.filter((r) => sameLabels(r, labels));
  const part = (label: string, list: readonly RunEntry[]) =>
    list.length > 0
      ? [{ label, kind: vscode.QuickPickItemKind.Separator, run: undefined }, ...list.map(runItem)]
      : [];
  const picked = await vscode.window.showQuickPick(
    [
      ...part(t('same labels'), same),
      ...part(
        t('other labels'),
        runs.filter((r) => !same.includes(r)),
      ),
    ],
    {
      title: t('Select runs to compare with'),
      canPickMany: true,
      ignoreFocusOut: true,
      matchOnDescription: true,
      matchOnDetail: true,
    },
  );
  return (picked ?? []).flatMap((item) => item.run?.folder ?? []);
}

/** It is used at its best checkpoint, so there must be one. */
const isTrained = ({ run }: RunEntry): boolean => run !== undefined && bestEvaluation(run)?.best === true;

function sameLabels({ run }: RunEntry, labels: readonly string[]): boolean {
  const started = run?.events.find((e) => e.kind === 'started');
  return started?.labels.join('\n') === labels.join('\n');
}
