import * as vscode from 'vscode';
import { readStoredText } from '../../files/read';
import { syntaxFindings } from './checks/check-text';
import { isExperiment } from './experiment-document';
import { ExperimentText, type Span } from '../../runs/experiment/experiment-text';
import type { Finding, Fix } from './finding';
import type { LiveExperiments } from './live';
import { stampOf } from '../../files/identity';
import { namedFiles } from './named-files';

const SEVERITY = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};
const SOURCE = 'AuroRA';
/** Files change without the editor noticing, so those of closed experiments are looked at again at this interval. */
const LOOK_AGAIN_MS = 5_000;

/** Reports the analysis as diagnostics, and offers quick fixes. */
export class ExperimentDiagnostics implements vscode.CodeActionProvider, vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('aurora');
  private readonly subscriptions: vscode.Disposable[];
  private readonly timer: NodeJS.Timeout;
  /** Experiments that were closed, which keep their diagnostics, and how the files that they name looked. */
  private readonly closed = new Map<string, string>();
  private looking = false;

  constructor(private readonly live: LiveExperiments) {
    this.subscriptions = [
      live.onDidChange((document) => this.show(document)),
      vscode.workspace.onDidOpenTextDocument(({ uri }) => this.closed.delete(uri.fsPath)),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (!isExperiment(document)) return;
        // The text as on disk: unsaved changes are gone.
        this.closed.set(document.uri.fsPath, '');
        void this.lookAgain();
      }),
    ];
    this.timer = setInterval(() => void this.lookAgain(), LOOK_AGAIN_MS);
  }

  async provideCodeActions(document: vscode.TextDocument, range: vscode.Range): Promise<vscode.CodeAction[]> {
    const { findings } = await this.live.of(document);
    return findings
      .filter((f) => rangeOf(document, f).intersection(range))
      .flatMap((f) => [
        ...f.fixes.map((fix) => action(document, fix, [diagnostic(document, f)])),
        ...(f.command ? [commandAction(document, f, f.command)] : []),
      ]);
  }

  dispose(): void {
    clearInterval(this.timer);
    this.collection.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** Checks closed experiments again whose text or data have changed. */
  private async lookAgain(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      for (const [file, before] of [...this.closed]) await this.checkClosed(file, before);
    } finally {
      this.looking = false;
    }
  }

  private async checkClosed(file: string, before: string): Promise<void> {
    const uri = vscode.Uri.file(file);
    const text = await readStoredText(file).catch(() => undefined);
    if (text === undefined) {
      this.closed.delete(file);
      return this.collection.delete(uri);
    }
    const stamp = await stampOf([file, ...(await namedFiles(new ExperimentText(file, text)))]);
    if (stamp === before) return;
    const analysis = await this.live.ofFile(file);
    // It may have been opened again.
    if (!analysis || !this.closed.has(file)) return;
    this.closed.set(file, stamp);
    const document = new Positions(analysis.doc.text);
    this.collection.set(
      uri,
      [...syntaxFindings(analysis.problems), ...analysis.findings].map((f) => diagnostic(document, f)),
    );
  }

  private show(document: vscode.TextDocument): void {
    const findings = this.live.latest(document)?.findings ?? [];
    this.collection.set(
      document.uri,
      findings.map((f) => diagnostic(document, f)),
    );
  }
}

/** Finds the position of an offset; a document can, and so can the text of one that is closed. */
type Placed = Pick<vscode.TextDocument, 'positionAt'>;

class Positions implements Placed {
  constructor(private readonly text: string) {}

  positionAt(offset: number): vscode.Position {
    const lines = this.text.slice(0, offset).split(/\r\n|\r|\n/);
    return new vscode.Position(lines.length - 1, lines.at(-1)!.length);
  }
}

export const rangeOf = (document: Placed, { offset, length }: Span): vscode.Range =>
  new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));

function diagnostic(document: Placed, finding: Finding): vscode.Diagnostic {
  const { message, severity, code } = finding;
  const made = new vscode.Diagnostic(rangeOf(document, finding), message, SEVERITY[severity]);
  made.source = SOURCE;
  made.code = code;
  return made;
}

function commandAction(
  document: vscode.TextDocument,
  finding: Finding,
  command: NonNullable<Finding['command']>,
): vscode.CodeAction {
  const made = new vscode.CodeAction(command.title, vscode.CodeActionKind.QuickFix);
  made.command = { ...command, arguments: [document.uri] };
  made.diagnostics = [diagnostic(document, finding)];
  made.isPreferred = true;
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
