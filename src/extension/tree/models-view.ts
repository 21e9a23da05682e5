import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { bytes } from '../../base/number-text';
import { modelPath } from '../../files/model-path';
import { stepSettings, stepText } from '../../protocol/reports/step-words';
import type { StepCost } from '../../protocol/step-cost';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import { findModels } from '../models/model-files';
import { isOnnx, MODEL_FILES } from '../models/model-paths';
import type { Services } from '../services';
import { refusalOf } from '../words/refusal-text';
import { NO_FOLDER, withPlainErrors } from './items';
import { type ModelRow, modelRows, refusalRows, STEP_ROW } from './model-rows';

export const contributes: Contributes = {
  commands: {
    estimateStep: {
      title: 'Estimate Training Step',
      icon: 'edit',
      palette: false,
      menus: [
        { at: 'model', group: '2_open@2', row: 'model|step' },
        { at: 'model', group: 'inline@1', row: 'step' },
        { at: 'explorer', of: 'model', group: 'aurora@3' },
      ],
    },
  },
  view: {
    id: 'models',
    name: 'Models',
    place: 2,
    collapsed: true,
    welcome: {
      noModels: {
        when: 'workbenchState != empty',
        text: 'No models in this folder. Get one from the Hugging Face hub, add an ONNX file, or try the demo first.\n[Get Model](command:aurora.getModel)\n[Run the Demo](command:aurora.runDemo)',
      },
      noFolder: { when: 'workbenchState == empty', text: NO_FOLDER },
    },
  },
};

/** The workspace's models and, when expanded, the layers that adapters can use; read only by the parser process. */
export function registerModelsView(services: Services): vscode.Disposable {
  const tree = new ModelsTree(services);
  const watcher = vscode.workspace.createFileSystemWatcher(MODEL_FILES);
  return vscode.Disposable.from(
    vscode.window.createTreeView('aurora.models', { treeDataProvider: withPlainErrors<ModelNode>(tree) }),
    tree,
    watcher,
    watcher.onDidCreate(() => tree.refresh()),
    watcher.onDidDelete(() => tree.refresh()),
    watcher.onDidChange((uri) => tree.refresh(isOnnx(uri.fsPath) ? uri : vscode.Uri.joinPath(uri, '..'))),
    vscode.workspace.onDidChangeWorkspaceFolders(() => tree.refresh()),
    services.machineChecked.event(() => tree.forgetTimes()),
    registerGuarded(services.log, COMMAND.estimateStep, (argument) => tree.estimate(argument)),
  );
}

/** A model is represented by its Uri, so that its menu passes the same argument to commands as the Explorer's. */
type ModelNode = vscode.Uri | (ModelRow & { of: vscode.Uri });

class ModelsTree implements vscode.TreeDataProvider<ModelNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ModelNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly known = new Map<string, vscode.Uri>();
  /** For the batch that a person asked about, by the model's path. */
  private readonly estimates = new Map<string, StepCost>();

  constructor(private readonly services: Services) {}

  /** A model, or all of them. VS Code identifies a row by its object. */
  refresh(uri?: vscode.Uri): void {
    if (uri) this.estimates.delete(uri.fsPath);
    this.changed.fire(uri && this.known.get(uri.toString()));
  }

  /** Forgets estimates for another speed of the machine; they are made again when their rows are shown. */
  forgetTimes(): void {
    this.estimates.clear();
    this.refresh();
  }

  async getChildren(node?: ModelNode): Promise<ModelNode[]> {
    if (!node) {
      const models = (await findModels()).map((path) => vscode.Uri.file(path));
      this.known.clear();
      for (const uri of models) this.known.set(uri.toString(), uri);
      return models;
    }
    if (!(node instanceof vscode.Uri)) return [];
    return (await this.rowsOf(node)).map((row) => ({ ...row, of: node }));
  }

  async getTreeItem(node: ModelNode): Promise<vscode.TreeItem> {
    if (node instanceof vscode.Uri) return modelItem(node);
    const item = new vscode.TreeItem(node.label);
    item.id = `${node.of.toString()} ${node.id}`;
    item.description = node.description;
    item.tooltip = node.tooltip ?? `${node.label} · ${node.description}`;
    item.iconPath = new vscode.ThemeIcon(node.icon);
    if (node.id === STEP_ROW) item.contextValue = STEP_ROW;
    if (node.refused)
      item.command = {
        command: COMMAND.showModelReport,
        title: t('Show Model Report'),
        arguments: [node.of],
      };
    item.accessibilityInformation = { label: `${node.label}, ${node.description}` };
    return item;
  }

  /** Asks for a batch; the model's row then shows its cost. */
  async estimate(argument: unknown): Promise<void> {
    const uri = argument instanceof vscode.Uri ? argument : (argument as { of?: vscode.Uri } | undefined)?.of;
    if (!(uri instanceof vscode.Uri)) return;
    const path = modelPath(uri.fsPath);
    const { models } = this.services;
    const { askSize } = await import('../models/ask-size');
    const usual = this.estimates.get(path) ?? (await models.inspect(path)).step ?? { batch: 8, length: 128 };
    const name = basename(path);
    const size = await askSize(name, usual);
    if (!size) return;
    const title = t('Estimating a training step of {0}…', name);
    const location = vscode.ProgressLocation.Notification;
    const cost = await withProgress({ location, title }, () => models.estimate(path, size));
    this.estimates.set(path, cost);
    this.changed.fire(this.known.get(vscode.Uri.file(path).toString()));
    const text = stepText(cost);
    const settings = stepSettings(cost);
    if (text === undefined) void notify.warning(cost.problem ?? '');
    else
      void notify.information(t('A training step of {0} takes {1} on this CPU ({2}).', name, text, settings));
  }

  dispose(): void {
    this.changed.dispose();
  }

  private async rowsOf(uri: vscode.Uri): Promise<ModelRow[]> {
    const { models } = this.services;
    const { fsPath } = uri;
    try {
      const model = await models.inspect(fsPath);
      return modelRows(model, this.estimates.get(fsPath));
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      return refusalRows(refusalOf(fsPath, e));
    }
  }
}

async function modelItem(uri: vscode.Uri): Promise<vscode.TreeItem> {
  const item = new vscode.TreeItem(uri, vscode.TreeItemCollapsibleState.Collapsed);
  const size = await sizeOf(uri.fsPath);
  const place = vscode.workspace.asRelativePath(uri);
  const folder = dirname(place);
  item.id = uri.toString();
  item.label = basename(uri.fsPath);
  item.description = [folder === '.' ? '' : folder, size === undefined ? '' : bytes(size)]
    .filter((part) => part !== '')
    .join(' · ');
  item.contextValue = 'model';
  item.iconPath = new vscode.ThemeIcon('package');
  item.accessibilityInformation = { label: t('Model {0}, {1}', place, item.description) };
  return item;
}

/** The size of a file, or of the weights in a folder. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    if (isOnnx(path)) return (await stat(path)).size;
    const weights = (await readdir(path)).filter((name) => name.endsWith('.safetensors'));
    const sizes = await Promise.all(weights.map(async (name) => (await stat(join(path, name))).size));
    return sizes.reduce((a, b) => a + b, 0);
  } catch {
    return undefined;
  }
}
