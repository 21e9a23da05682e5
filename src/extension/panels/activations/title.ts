import { basename } from 'node:path';
import * as vscode from 'vscode';
import { labelOfId, runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';

export const titleOf = (entry: RunEntry | undefined, run: string): string =>
  vscode.l10n.t('Activations: {0}', entry ? runLabel(entry) : labelOfId(basename(run)));
