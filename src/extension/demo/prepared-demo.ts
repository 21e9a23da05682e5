import { join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { starting } from '../ask/starting';
import { DEMOS, demoFolder, type DemoName } from '../runs/demo-places';
import { makeDemoFolder } from './demo-folder';

/**
 * A demo's experiment, with its model and data beside it: in the workspace, or in the extension's storage if no folder is
 * open.
 */
export async function preparedDemo(
  { extensionPath, globalStorageUri }: vscode.ExtensionContext,
  demo: DemoName,
): Promise<{ file: string; workspaceFolder?: vscode.WorkspaceFolder }> {
  const { bundle, experiment, folder: name } = DEMOS[demo];
  const workspaceFolder = vscode.workspace.workspaceFolders?.find((f) => f.uri.scheme === 'file');
  const folder = workspaceFolder
    ? join(workspaceFolder.uri.fsPath, name)
    : demoFolder(globalStorageUri.fsPath, demo);
  const file = await starting(t('Preparing the demo'), () =>
    makeDemoFolder(join(extensionPath, 'dist', bundle), experiment, folder),
  );
  return { file, workspaceFolder };
}
