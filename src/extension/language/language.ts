import * as vscode from 'vscode';
import { LANGUAGE } from '../ids';
import type { Services } from '../services';
import { ExperimentAssistance } from './assistance';
import { ExperimentDiagnostics } from './diagnostics';
import { ExperimentLenses } from './lenses';
import { isExperiment, LiveExperiments } from './live';

const SELECTOR: vscode.DocumentSelector = { language: LANGUAGE, scheme: 'file' };

/** Experiments in the editor: lenses, diagnostics with quick fixes, completion, hovers and links. */
export function registerLanguage(services: Services): vscode.Disposable {
  const live = new LiveExperiments(services);
  const diagnostics = new ExperimentDiagnostics(live);
  const lenses = new ExperimentLenses(services, live);
  const assistance = new ExperimentAssistance(live);
  const { languages } = vscode;
  return vscode.Disposable.from(
    wakeJsonSupport(),
    live,
    diagnostics,
    lenses,
    languages.registerCodeLensProvider(SELECTOR, lenses),
    languages.registerCodeActionsProvider(SELECTOR, diagnostics, {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
    }),
    languages.registerCompletionItemProvider(SELECTOR, assistance, '"', '/', '.', '['),
    languages.registerHoverProvider(SELECTOR, assistance),
    languages.registerDocumentLinkProvider(SELECTOR, assistance),
  );
}

/**
 * VS Code's JSON support knows this language through `jsonLanguageParticipants`, but it is only activated for its own
 * languages. Without an open JSON file, the schema would provide no hovers or diagnostics.
 */
function wakeJsonSupport(): vscode.Disposable {
  const wake = (document: vscode.TextDocument) => {
    if (isExperiment(document))
      void vscode.extensions.getExtension('vscode.json-language-features')?.activate();
  };
  vscode.workspace.textDocuments.forEach(wake);
  return vscode.workspace.onDidOpenTextDocument(wake);
}
