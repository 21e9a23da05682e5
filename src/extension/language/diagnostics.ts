import * as vscode from 'vscode';
import type { Finding, Fix, Span } from './finding';
import type { LiveExperiments } from './live';
import { schemaFixes } from './schema-fixes';

const SEVERITY = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};
const SOURCE = 'AuroRA';

/** Reports the analysis as diagnostics, and offers quick fixes. */
export class ExperimentDiagnostics implements vscode.CodeActionProvider, vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('aurora');
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly live: LiveExperiments) {
    this.subscriptions = [
      live.onDidChange((document) => this.show(document)),
      vscode.workspace.onDidCloseTextDocument((document) => this.collection.delete(document.uri)),
    ];
  }

  async provideCodeActions(document: vscode.TextDocument, range: vscode.Range): Promise<vscode.CodeAction[]> {
    const analysis = await this.live.of(document);
    const offset = document.offsetAt(range.start);
    const within: Span = { offset, length: document.offsetAt(range.end) - offset };
    const own = analysis.findings
      .filter((f) => rangeOf(document, f).intersection(range))
      .flatMap((f) => f.fixes.map((fix) => action(document, fix, [diagnostic(document, f)])));
    const there = vscode.languages.getDiagnostics(document.uri);
    const meant = schemaFixes(analysis, within, vscode.l10n.t).map((fix) => {
      // VS Code's JSON service has already reported it.
      const marked = there.filter((d) => d.source !== SOURCE && d.range.intersection(rangeOf(document, fix)));
      return action(document, fix, marked);
    });
    return [...own, ...meant];
  }

  dispose(): void {
    this.collection.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private show(document: vscode.TextDocument): void {
    const findings = this.live.latest(document)?.findings ?? [];
    this.collection.set(
      document.uri,
      findings.map((f) => diagnostic(document, f)),
    );
  }
}

export const rangeOf = (document: vscode.TextDocument, { offset, length }: Span): vscode.Range =>
  new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));

function diagnostic(document: vscode.TextDocument, finding: Finding): vscode.Diagnostic {
  const { message, severity, code } = finding;
  const made = new vscode.Diagnostic(rangeOf(document, finding), message, SEVERITY[severity]);
  made.source = SOURCE;
  made.code = code;
  return made;
}

function action(
  document: vscode.TextDocument,
  fix: Fix,
  diagnostics: vscode.Diagnostic[],
): vscode.CodeAction {
  const made = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
  made.edit = new vscode.WorkspaceEdit();
  made.edit.replace(document.uri, rangeOf(document, fix), fix.text);
  made.diagnostics = diagnostics;
  made.isPreferred = fix.preferred;
  return made;
}
