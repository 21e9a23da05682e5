import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { notify } from '../messages/notify';
import { isTreeNode } from '../runs/nodes';
import type { ClaimEntry } from '../runs/store';
import type { Services } from '../services';
import { claimTitle } from '../words/claim-row';

/**
 * The claim for a command: its row, its folder, the only one of the workspace, or one picked from a list. Undefined if the
 * user canceled, or after a message if there are none to choose from.
 *
 * @param state of those to choose from
 */
export async function claimFrom(
  { store }: Services,
  argument: unknown,
  title: string,
  state?: ClaimEntry['state'],
): Promise<ClaimEntry | undefined> {
  const all = (await store.experiments()).flatMap((e) => e.claims);
  const folder =
    typeof argument === 'string'
      ? argument
      : isTreeNode(argument) && argument.kind === 'claim'
        ? argument.folder
        : undefined;
  if (folder !== undefined) return all.find((claim) => claim.folder === folder);
  const offered = all.filter((claim) => state === undefined || claim.state === state);
  if (offered.length === 0)
    void notify.information(
      state === 'running'
        ? t('No claim is being tested in this workspace.')
        : t('There are no claims in this workspace.'),
    );
  if (offered.length < 2) return offered[0];
  const items = offered.map((claim) => ({
    label: claimTitle(claim),
    description: experimentName(claim.experiment),
    claim,
  }));
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.claim;
}
