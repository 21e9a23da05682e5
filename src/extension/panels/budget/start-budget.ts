import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import type { BudgetFields, BudgetFromPage, BudgetOpen } from '../../../protocol/panels/budget';
import { findModels } from '../../models/model-files';
import type { StepChoice } from '../../models/known-model';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { BudgetSession } from './budget-session';
import type { ModelFile } from './budget-models';

/** Maximum number of files in a list. */
const MOST_MODELS = 100;
/** Delay after typing in the file before the page follows. */
const FOLLOW_AFTER_MS = 150;

export const startBudget = (
  services: Services,
  { file, model }: BudgetOpen,
  page: PageChannel,
): PanelSession<BudgetFromPage> => new BudgetPanel(services, page, file, model);

class BudgetPanel implements PanelSession<BudgetFromPage> {
  private readonly session: BudgetSession;
  private readonly subscriptions: vscode.Disposable[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly services: Services,
    private readonly page: PageChannel,
    private readonly file: string | undefined,
    model: string | undefined,
  ) {
    const { models } = services;
    const ports = {
      post: (message: unknown) => page.post(message),
      modelFiles,
      inspect: (path: string) => models.inspect(path),
      cached: (path: string) => models.cached(path),
      estimate: (path: string, choice: StepChoice) => models.estimate(path, choice),
    };
    this.session = new BudgetSession(ports, file, model);
    if (file !== undefined) this.watch(vscode.Uri.file(file));
  }

  snapshot(): void {
    this.run(this.text().then((text) => this.session.show(text)));
  }

  receive(message: BudgetFromPage): void {
    switch (message.type) {
      case 'compute':
        return this.run(this.session.compute(message.seq, message.fields));
      case 'estimate':
        return this.run(this.session.estimate(message.seq, message.fields, message));
      case 'write':
        return this.run(this.write(message.fields));
      case 'openFile':
        if (this.file === undefined) return;
        return this.run(
          vscode.window.showTextDocument(vscode.Uri.file(this.file), {
            viewColumn: vscode.ViewColumn.Beside,
          }),
        );
      case 'copy':
        return this.run(vscode.env.clipboard.writeText(message.text));
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private watch(uri: vscode.Uri): void {
    const soon = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.run(this.follow()), FOLLOW_AFTER_MS);
    };
    // Edits in an editor, and changes on disk while no editor has the file open.
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), basename(uri.fsPath)),
    );
    this.subscriptions.push(
      watcher,
      watcher.onDidChange(soon),
      watcher.onDidCreate(soon),
      watcher.onDidDelete(soon),
      vscode.workspace.onDidChangeTextDocument((e) => {
        if (e.document.uri.toString() === uri.toString()) soon();
      }),
    );
  }

  private async follow(): Promise<void> {
    await this.session.follow(await this.text());
  }

  private async text(): Promise<string | undefined> {
    return (await this.document())?.getText();
  }

  /** The file's text in the editor, including unsaved edits; undefined if it cannot be read. */
  private async document(): Promise<vscode.TextDocument | undefined> {
    if (this.file === undefined) return undefined;
    try {
      return await vscode.workspace.openTextDocument(vscode.Uri.file(this.file));
    } catch {
      return undefined;
    }
  }

  private async write(fields: BudgetFields): Promise<void> {
    const document = await this.document();
    if (!document) return this.written(false, t('The experiment file could not be read.'));
    // The text may have changed since the page was last updated.
    this.session.take(document.getText());
    const change = this.session.edit(fields);
    if (!change) return this.written(true, t('The file already has these settings.'));
    const range = new vscode.Range(
      document.positionAt(change.offset),
      document.positionAt(change.offset + change.length),
    );
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, range, change.content);
    const done = await vscode.workspace.applyEdit(edit);
    const name = basename(document.uri.fsPath);
    if (!done) return this.written(false, t('The editor could not change {0}.', name));
    const saves = vscode.workspace.getConfiguration('files', document).get('autoSave') !== 'off';
    this.written(
      true,
      saves
        ? t('Written to {0}. Use Undo in its editor to revert it.', name)
        : t('Written to {0}, which is not saved yet. Use Undo in its editor to revert it.', name),
    );
  }

  private written(ok: boolean, message: string): void {
    this.page.post({ type: 'written', ok, message });
  }

  /** A failure is shown in the page and logged. */
  private run(work: PromiseLike<unknown>): void {
    Promise.resolve(work).catch((e: Error) => {
      this.services.log.error(e);
      this.written(false, e.message);
    });
  }
}

async function modelFiles(): Promise<ModelFile[]> {
  const found = (await findModels()).slice(0, MOST_MODELS);
  return found
    .map((path) => ({ path, label: vscode.workspace.asRelativePath(path) }))
    .sort((a, b) => a.label.localeCompare(b.label));
}
