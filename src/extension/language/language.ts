import * as vscode from 'vscode';
import { showError } from '../ask/guard';
import type { Services } from '../services';
import { isExperiment } from './experiment-document';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  activation: ['workspaceContains:**/*.aurora.json'],
  sections: {
    languages: [
      {
        id: 'aurora-experiment',
        aliases: ['AuroRA Experiment'],
        extensions: ['.aurora.json'],
        configuration: './media/aurora-experiment.language.json',
        icon: { light: './media/aurora-light.svg', dark: './media/aurora-dark.svg' },
      },
    ],
    grammars: [
      {
        language: 'aurora-experiment',
        scopeName: 'source.json.comments.aurora',
        path: './media/aurora-experiment.tmLanguage.json',
      },
    ],
    jsonValidation: [{ fileMatch: '*.aurora.json', url: './dist/experiment.editor-schema.json' }],
    jsonLanguageParticipants: [{ languageId: 'aurora-experiment', comments: true }],
  },
};

/** Language features for experiments in the editor. The analysis is loaded when the first one is open. */
export function registerLanguage(services: Services): vscode.Disposable {
  let providers: Promise<vscode.Disposable> | undefined;
  let disposed = false;
  const start = async (): Promise<vscode.Disposable> => {
    const { registerProviders } = await import('./providers');
    return disposed ? vscode.Disposable.from() : registerProviders(services);
  };
  const opened = (document: vscode.TextDocument) => {
    if (!isExperiment(document)) return;
    wakeJsonSupport();
    if (providers) return;
    providers = start();
    providers.catch((e: unknown) => {
      // Tried again with the next experiment that is opened.
      providers = undefined;
      showError(services.log, e);
    });
  };
  vscode.workspace.textDocuments.forEach(opened);
  return vscode.Disposable.from(vscode.workspace.onDidOpenTextDocument(opened), {
    dispose() {
      disposed = true;
      void providers?.then(
        (p) => p.dispose(),
        () => undefined,
      );
    },
  });
}

/**
 * VS Code's JSON support knows this language through `jsonLanguageParticipants`, but it is only activated for its own
 * languages. Without an open JSON file, the schema would provide no hovers or diagnostics.
 */
function wakeJsonSupport(): void {
  void vscode.extensions.getExtension('vscode.json-language-features')?.activate();
}
