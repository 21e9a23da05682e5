import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { bytes } from '../words/format';
import { AuroraError } from '../../base/errors';
import { VIEW } from '../ids';
import type { Services } from '../services';
import { modelRows, type ModelRow } from './model-rows';

const PATTERN = '**/*.onnx';
const EXCLUDED = '**/{node_modules,.git,.aurora,.venv}/**';
const LIMIT = 500;

/** The workspace's models and, when expanded, what each offers to adapters; read only by the parser process. */
export function registerModelsView(services: Services): vscode.Disposable {
  const tree = new ModelsTree(services);
  const watcher = vscode.workspace.createFileSystemWatcher(PATTERN);
  return vscode.Disposable.from(
    vscode.window.createTreeView(VIEW.models, { treeDataProvider: tree }),
    tree,
    watcher,
    watcher.onDidCreate(() => tree.refresh()),
    watcher.onDidDelete(() => tree.refresh()),
    watcher.onDidChange((uri) => tree.refresh(uri)),
    vscode.workspace.onDidChangeWorkspaceFolders(() => tree.refresh()),
  );
}

/** A model is represented by its Uri, so that its menu passes the same argument to commands as the Explorer's. */
type ModelNode = vscode.Uri | (ModelRow & { of: vscode.Uri });

class ModelsTree implements vscode.TreeDataProvider<ModelNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ModelNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly known = new Map<string, vscode.Uri>();

  constructor(private readonly services: Services) {}

  /** One model, or all of them. VS Code identifies a row by its object. */
  refresh(uri?: vscode.Uri): void {
    this.changed.fire(uri && this.known.get(uri.toString()));
  }

  async getChildren(node?: ModelNode): Promise<ModelNode[]> {
    if (!node) {
      const found = await vscode.workspace.findFiles(PATTERN, EXCLUDED, LIMIT);
      const files = found.filter((uri) => uri.scheme === 'file').sort((a, b) => (a.path < b.path ? -1 : 1));
      this.known.clear();
      for (const uri of files) this.known.set(uri.toString(), uri);
      return files;
    }
    if (!(node instanceof vscode.Uri)) return [];
    return (await this.rowsOf(node)).map((row) => ({ ...row, of: node }));
  }

  async getTreeItem(node: ModelNode): Promise<vscode.TreeItem> {
    if (node instanceof vscode.Uri) return modelItem(node);
    const item = new vscode.TreeItem(node.label);
    item.id = `${node.of.toString()} ${node.id}`;
    item.description = node.description;
    item.iconPath = new vscode.ThemeIcon(node.icon);
    item.accessibilityInformation = { label: `${node.label}, ${node.description}` };
    return item;
  }

  dispose(): void {
    this.changed.dispose();
  }

  private async rowsOf(uri: vscode.Uri): Promise<ModelRow[]> {
    try {
      const summary = await this.services.models.inspect(uri.fsPath);
      return modelRows(summary, vscode.l10n.t, vscode.env.language);
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      return [{ id: 'error', label: e.message, description: e.hint ?? '', icon: 'error' }];
    }
  }
}

async function modelItem(uri: vscode.Uri): Promise<vscode.TreeItem> {
  const item = new vscode.TreeItem(uri, vscode.TreeItemCollapsibleState.Collapsed);
  const size = await stat(uri.fsPath).then(
    (s) => s.size,
    () => undefined,
  );
  const place = vscode.workspace.asRelativePath(uri);
  item.id = uri.toString();
  item.label = place.split('/').pop();
  item.description = [place.split('/').slice(0, -1).join('/'), size === undefined ? '' : bytes(size)]
    .filter((part) => part !== '')
    .join(' · ');
  item.contextValue = 'model';
  item.iconPath = new vscode.ThemeIcon('package');
  item.accessibilityInformation = { label: vscode.l10n.t('Model {0}, {1}', place, item.description) };
  return item;
}
