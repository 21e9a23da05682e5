import * as vscode from 'vscode';
import { COMMAND, INTERNAL } from '../ids';
import type { Services } from '../services';
import { budgetText, runningText, runsText } from './lens-text';
import type { LiveExperiments } from './live';
import { rangeOf } from './diagnostics';

/** Above the first line what one can do with the experiment and how its runs are; above "adapter" its cost. */
export class ExperimentLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(
    private readonly services: Services,
    private readonly live: LiveExperiments,
  ) {
    this.subscriptions = [
      live.onDidChange(() => this.changed.fire()),
      services.store.onDidChange(() => this.changed.fire()),
    ];
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    // The text's own places, so that a lens does not lag behind the line that it stands on.
    const analysis = await this.live.of(document);
    const { t } = vscode.l10n;
    const file = document.uri.fsPath;
    const top = new vscode.Range(0, 0, 0, 0);
    const lens = (range: vscode.Range, title: string, command: string, ...args: unknown[]) =>
      new vscode.CodeLens(range, { title, command, arguments: args });
    const { running, others } = await this.runs(file);
    const budget = budgetText(analysis, t);
    const adapter = analysis.doc.node('adapter');
    const place = adapter ? rangeOf(document, analysis.doc.keySpan(adapter)) : top;
    return [
      running
        ? lens(top, running.text, COMMAND.openRun, running.folder)
        : lens(top, `$(play) ${t('Run')}`, COMMAND.runExperiment, file),
      lens(top, `$(checklist) ${t('Preflight')}`, COMMAND.preflight, file),
      lens(top, `$(symbol-ruler) ${t('Budget')}`, COMMAND.openBudget, file),
      ...(others === undefined ? [] : [lens(top, others, INTERNAL.showExperiment, file)]),
      budget.counted ? lens(place, budget.text, COMMAND.openBudget, file) : lens(place, budget.text, ''),
    ];
  }

  dispose(): void {
    this.changed.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private async runs(file: string) {
    const experiments = await this.services.store.experiments().catch((e: unknown) => {
      this.services.log.error(e as Error);
      return [];
    });
    const runs = experiments.find((e) => e.file === file)?.runs ?? [];
    return { running: runningText(runs, vscode.l10n.t), others: runsText(runs, vscode.l10n.t) };
  }
}
