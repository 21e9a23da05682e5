import * as vscode from 'vscode';
import { CONTEXT } from '../ids';
import { isOnnx, MODEL_FILES, modelsAmong } from './model-paths';
import { EXCLUDED } from './workspace-files';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  activation: ['workspaceContains:**/model.safetensors', 'workspaceContains:**/model.safetensors.index.json'],
};

const LIMIT = 2000;
/** After this delay the workspace is searched for the first time. */
const FIRST_LOOK_MS = 500;
/** A download creates several files in a row. */
const SETTLE_MS = 300;

/** Absolute paths of the workspace's models: ONNX files, and folders from the hub. */
export async function findModels(): Promise<string[]> {
  const found = await vscode.workspace.findFiles(MODEL_FILES, EXCLUDED, LIMIT);
  return modelsAmong(found.filter((uri) => uri.scheme === 'file').map((uri) => uri.fsPath));
}

/** Sets the context of menus on folders that are models: a `when` clause cannot look into a folder. */
export function registerModelFolders(): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const look = (delay: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void tellMenus(), delay);
  };
  const watcher = vscode.workspace.createFileSystemWatcher(MODEL_FILES, false, true);
  const soon = () => look(SETTLE_MS);
  look(FIRST_LOOK_MS);
  return vscode.Disposable.from(
    watcher,
    watcher.onDidCreate(soon),
    watcher.onDidDelete(soon),
    vscode.workspace.onDidChangeWorkspaceFolders(soon),
    { dispose: () => clearTimeout(timer) },
  );
}

async function tellMenus(): Promise<void> {
  const folders = (await findModels()).filter((path) => !isOnnx(path));
  await vscode.commands.executeCommand('setContext', CONTEXT.modelFolders, folders);
}
