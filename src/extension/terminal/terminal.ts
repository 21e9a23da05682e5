import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { GPU_FOLDER, GPU_SUPPORT_VARIABLE } from '../../protocol/gpu-support';
import { setting } from '../launcher/settings';
import type { Services } from '../services';
import { type TerminalPlaces, writeTerminalScripts } from './scripts';

/** Delay until activation is over; a terminal that opens earlier gets the scripts at once. */
const AFTER_ACTIVATION_MS = 1000;

/** Adds `aurora` to the PATH of integrated terminals in trusted workspaces. */
export function registerTerminals({ context, log }: Services): vscode.Disposable {
  const bin = join(placesOf(context).copy, 'bin');
  const write = async () => {
    if (!vscode.workspace.isTrusted) return;
    try {
      const places = placesOf(context);
      await writeTerminalScripts(bin, places);
      // An update of the extension moves what they start.
      if (existsSync(stableBin(context))) await writeTerminalScripts(stableBin(context), places);
      const { environmentVariableCollection: environment } = context;
      environment.description = t('Adds the `aurora` command for training and inspecting from a terminal.');
      // Applied when a terminal starts, so that the shell's profile cannot undo it.
      environment.prepend('PATH', bin + delimiter, {
        applyAtProcessCreation: true,
        applyAtShellIntegration: true,
      });
      environment.replace(GPU_SUPPORT_VARIABLE, join(context.globalStorageUri.fsPath, GPU_FOLDER));
    } catch (e) {
      log.warn(`The command aurora is not on the terminals' PATH: ${(e as Error).message}`);
    }
  };
  const timer = setTimeout(() => void write(), AFTER_ACTIVATION_MS);
  return vscode.Disposable.from(
    { dispose: () => clearTimeout(timer) },
    vscode.window.onDidOpenTerminal(() => void write()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void write()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('aurora.nodePath')) void write();
    }),
  );
}

const placesOf = (context: vscode.ExtensionContext): TerminalPlaces => ({
  settingNode: setting<string>('nodePath').trim(),
  editorNode: process.versions.electron === undefined ? process.execPath : undefined,
  copy: join(context.globalStorageUri.fsPath, (context.extension.packageJSON as { version: string }).version),
  dist: join(context.extensionPath, 'dist'),
});

/** Not in the folder of a version. */
const stableBin = (context: vscode.ExtensionContext): string => join(context.globalStorageUri.fsPath, 'bin');

/** The path of `aurora` that stays the same when the extension is updated, for files that name it. */
export async function stableScript({ context }: Pick<Services, 'context'>): Promise<string> {
  const bin = stableBin(context);
  await writeTerminalScripts(bin, placesOf(context));
  return join(bin, process.platform === 'win32' ? 'aurora.cmd' : 'aurora');
}
