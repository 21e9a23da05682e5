import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { PreflightProblem } from '../../protocol/preflight';
import { namedRow, rowWord } from '../../protocol/row-place';
import { messageOf } from '../ask/message-of';
import { INTERNAL } from '../ids';
import { rangeOf } from '../language/diagnostics';
import type { ExperimentText } from '../../runs/experiment/experiment-text';
import { settingFix } from './setting-fix';

/** A problem of a preflight as the editor marks it. */
export interface Mark {
  problem: PreflightProblem;
  diagnostic: vscode.Diagnostic;
}

/** A problem at the setting that it concerns, with links to the lines of data that show it. */
export function markOf(
  document: vscode.TextDocument,
  doc: ExperimentText,
  key: string,
  problem: PreflightProblem,
): Mark {
  const { Error, Warning, Information } = vscode.DiagnosticSeverity;
  const range = rangeOf(document, doc.span(...key.split('.')));
  const severity = { error: Error, warning: Warning, note: Information }[problem.severity];
  const diagnostic = new vscode.Diagnostic(range, messageOf(problem), severity);
  diagnostic.source = 'AuroRA';
  diagnostic.code = 'preflight';
  // In other files, only a row that is read for it can be shown, which a quick fix does.
  diagnostic.relatedInformation = (problem.places ?? [])
    .filter(({ file }) => rowWord(file) === 'line' && !file.endsWith('.gz'))
    .map(({ file, row }) => {
      const at = new vscode.Location(vscode.Uri.file(file), new vscode.Position(row - 1, 0));
      return new vscode.DiagnosticRelatedInformation(at, namedRow(basename(file), row));
    });
  return { problem, diagnostic };
}

/** Quick fixes: the settings that would solve a problem, then the rows that show it. */
export function actionsOf(
  document: vscode.TextDocument,
  { problem: { fixes = [], places = [] }, diagnostic }: Mark,
): vscode.CodeAction[] {
  const action = (title: string, fields: Partial<vscode.CodeAction>) => {
    const made = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
    made.diagnostics = [diagnostic];
    return Object.assign(made, fields);
  };
  return [
    ...fixes.flatMap(({ key, value }, i) => {
      const fix = settingFix(document.getText(), key, value);
      if (!fix) return [];
      const edit = new vscode.WorkspaceEdit();
      edit.replace(document.uri, rangeOf(document, fix), fix.content);
      return [action(t('Set {0} to {1}', key, JSON.stringify(value)), { edit, isPreferred: i === 0 })];
    }),
    ...places.map(({ file, row }) => {
      const title = t('Open {0}', namedRow(basename(file), row));
      return action(title, { command: { title, command: INTERNAL.openDataRow, arguments: [file, row] } });
    }),
  ];
}
