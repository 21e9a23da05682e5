import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { experimentName } from '../../../runs/layout';
import type { RunsOpen } from '../../../study/runs-table/runs-panel';

export function subject(open: RunsOpen): string {
  if ('experiment' in open) return experimentName(open.experiment);
  // The title is that of the tree.
  if ('sweep' in open)
    return t('Sweep · {0} of {1}', basename(open.sweep).slice(0, 4), basename(dirname(open.sweep)));
  return vscode.workspace.name ?? t('workspace');
}
