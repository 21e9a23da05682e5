import * as vscode from 'vscode';

/** Reports as read-only Markdown documents, kept until the window closes. */
export class ReportPages implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly pages = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  readonly onDidChange = this.changed.event;

  /**
   * @param lost the text of a report that was lost with its window
   * @param kept a report that was kept otherwise, by the file it is about
   */
  constructor(
    private readonly scheme: string,
    private readonly lost: string,
    private readonly kept: (file: string) => string | undefined = () => undefined,
  ) {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.pages.get(uri.toString()) ?? this.kept(uri.query) ?? `${this.lost}\n`;
  }

  /** Sets the report on an experiment's file; `name` is the tab's. */
  put(name: string, file: string, markdown: string): vscode.Uri {
    const page = this.page(name, file);
    this.pages.set(page.toString(), markdown);
    this.changed.fire(page);
    return page;
  }

  page(name: string, file: string): vscode.Uri {
    return vscode.Uri.from({ scheme: this.scheme, path: `/${name}.md`, query: file });
  }

  dispose(): void {
    this.changed.dispose();
    this.registration.dispose();
  }
}
