import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { PlaygroundOpen } from '../../protocol/panels/playground';
import { bestEvaluation, checkpointSteps } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { isTreeNode } from '../runs/nodes';
import { runItem } from '../ask/run-item';
import { EXCLUDED } from '../models/workspace-files';
import { notify } from '../messages/notify';

const MODELS = '**/*.onnx';
const MOST_MODELS = 100;

/** The subject on which the command was called, otherwise the choice from a list; undefined if the user canceled. */
export async function openFrom(services: Services, argument: unknown): Promise<PlaygroundOpen | undefined> {
  if (argument instanceof vscode.Uri) return withAdapter(argument.fsPath);
  if (isTreeNode(argument) && argument.kind === 'checkpoint')
    return { kind: 'run', run: argument.folder, at: argument.step };
  if (isTreeNode(argument) && argument.kind === 'adapter')
    return { kind: 'run', run: argument.folder, at: argument.which };
  const { store } = services;
  const folder =
    typeof argument === 'string'
      ? argument
      : isTreeNode(argument) && argument.kind === 'run'
        ? argument.folder
        : undefined;
  if (folder !== undefined) return runOpen(store.run(folder) ?? (await store.refreshRun(folder)));
  return choose(services);
}

/** Opens its best checkpoint, or its newest if it has no best yet. */
const runOpen = (entry: RunEntry): PlaygroundOpen => ({
  kind: 'run',
  run: entry.folder,
  at: entry.run && bestEvaluation(entry.run)?.best ? 'best' : 'last',
});

async function choose({ store }: Services): Promise<PlaygroundOpen | undefined> {
  const runs = (await store.runs()).filter(
    ({ run }) => run && (checkpointSteps(run).length > 0 || bestEvaluation(run)?.best),
  );
  const models = await vscode.workspace.findFiles(MODELS, EXCLUDED, MOST_MODELS);
  if (runs.length + models.length === 0) {
    void notify.information(
      t('This workspace has no trained runs and no ONNX models. Train a run with "AuroRA: Run Experiment".'),
    );
    return undefined;
  }
  const separator = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const picked = await vscode.window.showQuickPick<vscode.QuickPickItem & { run?: RunEntry; model?: string }>(
    [
      ...(runs.length > 0 ? [separator(t('runs')), ...runs.map(runItem)] : []),
      ...(models.length > 0 ? [separator(t('models'))] : []),
      ...models.map((uri) => ({
        label: `$(package) ${basename(uri.fsPath)}`,
        description: vscode.workspace.asRelativePath(uri),
        model: uri.fsPath,
      })),
    ],
    {
      title: t('Select a run or a model for the playground'),
      ignoreFocusOut: true,
      matchOnDescription: true,
      matchOnDetail: true,
    },
  );
  if (picked?.run) return runOpen(picked.run);
  return picked?.model === undefined ? undefined : withAdapter(picked.model);
}

/** A model, optionally with an adapter's folder. */
async function withAdapter(model: string): Promise<PlaygroundOpen | undefined> {
  const alone = { label: `$(package) ${t('No adapter')}`, description: t('the unmodified model') };
  const folder = {
    label: `$(folder-opened) ${t('Choose an adapter folder…')}`,
    description: t('a LoRA in PEFT format, or the adapter of a run'),
  };
  const picked = await vscode.window.showQuickPick([alone, folder], {
    title: t('Select an adapter for {0}', basename(model)),
    ignoreFocusOut: true,
  });
  if (picked === alone) return { kind: 'model', model };
  if (picked !== folder) return undefined;
  const chosen = await vscode.window.showOpenDialog({
    title: t('Select the adapter folder, which contains adapter_config.json'),
    defaultUri: vscode.Uri.file(dirname(model)),
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: t('Open with This Adapter'),
  });
  return chosen && { kind: 'model', model, adapter: chosen[0].fsPath };
}
