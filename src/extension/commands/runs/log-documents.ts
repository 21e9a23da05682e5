import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { readTail } from '../../launcher/log-tail';

const SCHEME = 'aurora-log';
/** Polling interval of an open log. */
const FOLLOW_MS = 1000;

/** Open logs, which follow their files. */
export class LogDocuments implements vscode.Disposable {
  private readonly lines = new Map<string, number>();
  private readonly sizes = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly subscription = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    if (document.uri.scheme === SCHEME && contentChanges.length > 0) this.follow(document);
  });

  /** @param changed an event of the provider, fired for a log that has grown */
  constructor(private readonly changed: vscode.EventEmitter<vscode.Uri>) {}

  /** @param id what distinguishes it from others with the same title */
  async show(log: string, id: string, title: string): Promise<void> {
    const path = `/${id}/${title.replaceAll('/', '-')}.log`;
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query: log });
    await this.refresh(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    this.opened(document);
    showEnd(await vscode.window.showTextDocument(document));
  }

  async text(uri: vscode.Uri): Promise<string> {
    this.timer ??= setInterval(() => void this.lookAtOpen(), FOLLOW_MS);
    const tail = await readTail(uri.query);
    this.sizes.set(uri.toString(), tail?.size ?? 0);
    return (
      tail?.text ||
      vscode.l10n.t('This run has no trainer log: it was trained in a terminal, or has not started yet.')
    );
  }

  private async refresh(uri: vscode.Uri): Promise<void> {
    const size = await stat(uri.query).then(
      (s) => s.size,
      () => 0,
    );
    if ((this.sizes.get(uri.toString()) ?? size) !== size) this.changed.fire(uri);
  }

  dispose(): void {
    clearInterval(this.timer);
    this.subscription.dispose();
  }

  private async lookAtOpen(): Promise<void> {
    const open = vscode.workspace.textDocuments.filter((d) => d.uri.scheme === SCHEME);
    if (open.length > 0) return void (await Promise.all(open.map((d) => this.refresh(d.uri))));
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Scrolls editors whose cursor was at the end; others are left alone. */
  private follow(document: vscode.TextDocument): void {
    const before = this.lines.get(document.uri.toString()) ?? 0;
    this.lines.set(document.uri.toString(), document.lineCount);
    for (const editor of vscode.window.visibleTextEditors)
      if (editor.document === document && editor.selection.active.line >= before - 1) showEnd(editor);
  }

  /** The document's current length, so that the next change knows where its end was. */
  opened(document: vscode.TextDocument): void {
    this.lines.set(document.uri.toString(), document.lineCount);
  }
}

function showEnd(editor: vscode.TextEditor): void {
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  editor.revealRange(new vscode.Range(end, end));
}
