import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { COMMAND, INTERNAL } from '../ids';
import { phaseText } from '../words/claim-row';
import type { ExperimentEntry } from '../runs/store';
import type { Services } from '../services';
import type { Analysis } from './analysis';
import { claimLenses } from './claim-lens';
import {
  runOfOlderVersion,
  budgetText,
  olderText,
  preflightText,
  runningSweepText,
  runningText,
  runsText,
  sweepText,
} from './lens-text';
import { onDidKeepPreflight, preflightOf, sumOfText } from './kept-preflight';
import type { LiveExperiments } from './live';
import { rangeOf } from './diagnostics';

/**
 * After a change event, the editor waits as long as the last request took before it asks for lenses again. A run
 * changes four times a second: if every change fired an event, the editor would never ask, and a lens would stay at
 * "Reading the model".
 */
const RUNS_MS = 3000;

/** Above the first line, actions for the experiment and the state of its runs; above "adapter", its cost. */
export class ExperimentLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  /** The last lenses of each file about its runs. */
  private readonly said = new Map<string, string>();
  private timer?: NodeJS.Timeout;
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(
    private readonly services: Services,
    private readonly live: LiveExperiments,
  ) {
    this.subscriptions = [
      live.onDidChange(() => this.changed.fire()),
      services.store.onDidChange(() => this.runsChanged()),
      onDidKeepPreflight(() => this.changed.fire()),
    ];
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    // Positions come from the current text, so that a lens does not lag behind its line.
    const analysis = await this.live.of(document);
    const file = document.uri.fsPath;
    const top = new vscode.Range(0, 0, 0, 0);
    const lens = (range: vscode.Range, title: string, command: string, ...args: unknown[]) =>
      new vscode.CodeLens(range, { title, command, arguments: args });
    const runs = await this.runs(file);
    this.said.set(file, wordsOf(runs));
    const { running, others } = runs;
    const entry = await this.entryOf(file);
    const older = await runOfOlderVersion(entry.runs, document.getText());
    const budget = budgetText(analysis);
    const adapter = analysis.doc.node('adapter');
    const place = adapter ? rangeOf(document, analysis.doc.keySpan(adapter)) : top;
    return [
      running
        ? lens(top, running.text, COMMAND.openRun, running.folder)
        : lens(top, `$(play) ${t('Run')}`, COMMAND.runExperiment, file),
      ...(older ? [lens(top, olderText(), COMMAND.showDifference, older.folder)] : []),
      lens(top, `$(checklist) ${t('Preflight')}`, COMMAND.preflight, file),
      ...this.preflightLens(document, top),
      ...(analysis.task.input === 'text' && analysis.task.answer !== 'picture'
        ? [lens(top, `$(symbol-string) ${t('Show Tokens')}`, COMMAND.showTokens, file)]
        : []),
      lens(top, `$(symbol-ruler) ${t('Budget')}`, COMMAND.openBudget, file),
      ...(others === undefined ? [] : [lens(top, others, INTERNAL.showExperiment, file)]),
      ...this.sweepLens(document, analysis, runs.sweep),
      ...claimLenses(document, analysis, entry),
      budget.counted ? lens(place, budget.text, COMMAND.openBudget, file) : lens(place, budget.text, ''),
    ];
  }

  private preflightLens(document: vscode.TextDocument, range: vscode.Range): vscode.CodeLens[] {
    const file = document.uri.fsPath;
    const kept = preflightOf(this.services.context, file);
    if (!kept) return [];
    const title = preflightText(kept, sumOfText(document.getText()));
    return [new vscode.CodeLens(range, { title, command: COMMAND.showPreflight, arguments: [file] })];
  }

  private sweepLens(
    document: vscode.TextDocument,
    { doc, trials }: Analysis,
    running: { text: string; folder: string } | undefined,
  ): vscode.CodeLens[] {
    const section = doc.node('sweep');
    if (!section || (!running && trials === undefined)) return [];
    const range = rangeOf(document, doc.keySpan(section));
    const stop = { kind: 'sweep', folder: running?.folder };
    return running
      ? [
          new vscode.CodeLens(range, {
            title: running.text,
            command: INTERNAL.showExperiment,
            arguments: [document.uri.fsPath],
          }),
          new vscode.CodeLens(range, {
            title: t('Stop'),
            command: COMMAND.stopSweep,
            arguments: [stop],
          }),
        ]
      : [
          new vscode.CodeLens(range, {
            title: sweepText(trials!),
            command: COMMAND.runSweep,
            arguments: [document.uri.fsPath],
          }),
        ];
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.changed.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private runsChanged(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.tellNews();
    }, RUNS_MS);
  }

  private async tellNews(): Promise<void> {
    const before = [...this.said];
    const now = await Promise.all(before.map(async ([file]) => wordsOf(await this.runs(file))));
    if (before.some(([, words], i) => words !== now[i])) this.changed.fire();
  }

  private async entryOf(file: string): Promise<Pick<ExperimentEntry, 'runs' | 'sweeps' | 'claims'>> {
    const experiments = await this.services.store.experiments().catch((e: unknown) => {
      this.services.log.error(e as Error);
      return [];
    });
    return experiments.find((e) => e.file === file) ?? { runs: [], sweeps: [], claims: [] };
  }

  private async runs(file: string) {
    const { runs, sweeps, claims } = await this.entryOf(file);
    return {
      running: runningText(runs),
      others: runsText(runs),
      sweep: runningSweepText(sweeps, runs),
      claims: claims.map((claim) => [claim.state, phaseText(claim, sweeps, runs)]),
    };
  }
}

const wordsOf = (runs: object): string => JSON.stringify(runs);
