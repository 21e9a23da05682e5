import * as vscode from 'vscode';
import { LANGUAGE } from '../ids';
import type { Services } from '../services';
import { ExperimentAssistance } from './assistance';
import { ExperimentDiagnostics } from './diagnostics';
import { ExperimentLenses } from './lenses';
import { LiveExperiments } from './live';

const SELECTOR: vscode.DocumentSelector = { language: LANGUAGE, scheme: 'file' };

/** Lenses, diagnostics with quick fixes, completion, hovers and links. */
export function registerProviders(services: Services): vscode.Disposable {
  const live = new LiveExperiments(services);
  const diagnostics = new ExperimentDiagnostics(live);
  const lenses = new ExperimentLenses(services, live);
  const assistance = new ExperimentAssistance(live);
  const { languages } = vscode;
  return vscode.Disposable.from(
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
