import * as vscode from 'vscode';
import { readScalars } from '../../runs/curve/scalars-reader';
import { facts } from './answer';
import { findRun } from './find-runs';
import { optionalText } from './input';
import { fully } from './run-facts';
import { requireWanted, workspaceFolders, type Tool } from './tool';

export const explainTool: Tool = {
  prepare: () => Promise.resolve({ invocationMessage: vscode.l10n.t('Reading the run') }),
  async answer({ store }, input, token) {
    const { folder } = findRun(await store.runs(), workspaceFolders(), optionalText(input, 'run'));
    requireWanted(token);
    const entry = await store.refreshRun(folder);
    return facts(fully(entry, readScalars(folder)));
  },
};
