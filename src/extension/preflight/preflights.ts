import * as vscode from 'vscode';
import { readStoredText } from '../../files/read';
import { t } from '../../base/l10n';
import { savedExperiment } from '../hub/downloading';
import { experimentName } from '../../runs/layout';
import type { PreflightProblem } from '../../protocol/preflight';
import { COMMAND, INTERNAL, LANGUAGE } from '../ids';
import type { Services } from '../services';
import { ExperimentText } from '../../runs/experiment/experiment-text';
import { actionsOf, markOf, type Mark } from './marks';
import { measure } from './measure-preflight';
import { stampOf } from '../../files/identity';
import { namedFiles } from '../language/named-files';
import { keepPreflight, sumOfText } from '../language/kept-preflight';
import { preflightSummary, type PreflightLines } from '../../protocol/reports/preflight-report';
import { preflightMarkdown } from '../../tools/preflight-lines';
import { registerGuarded } from '../ask/guard';
import { messageOf } from '../ask/message-of';
import { openReport, trustedFor } from '../notices/open-report';
import type { ReportPages } from '../notices/report-pages';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/** Data change without the editor noticing. */
const LOOK_AGAIN_MS = 3_000;

/** Findings of the editor itself that a problem would repeat. */
const KNOWN = [
  'target-unmatched',
  'rank-too-large',
  'column-missing',
  'file-missing',
  'file-not-downloaded',
  'tokenizer-missing',
  'tokenizer-unusable',
  'preprocessor-missing',
  'preprocessor-unusable',
];

/** Runs preflights, and shows their reports and the problems that they find. */
export class Preflights implements vscode.CodeActionProvider, vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('aurora-preflight');
  private readonly going = new Set<string>();
  /** Experiments with problems, and how the files that they name looked when they were measured. */
  private readonly marked = new Map<string, { marks: readonly Mark[]; stamp: string }>();
  private readonly timer = setInterval(() => void this.lookAgain(), LOOK_AGAIN_MS);
  // The measured text no longer exists.
  private readonly stale = vscode.workspace.onDidChangeTextDocument((e) => {
    if (e.contentChanges.length > 0) this.unmark(e.document.uri.fsPath);
  });
  private readonly registered: vscode.Disposable;

  constructor(
    private readonly services: Services,
    private readonly pages: ReportPages,
  ) {
    this.registered = vscode.Disposable.from(
      vscode.languages.registerCodeActionsProvider({ language: LANGUAGE, scheme: 'file' }, this, {
        providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
      }),
      registerGuarded(services.log, INTERNAL.openDataRow, async (file, row) => {
        const { openDataRow } = await import('../panels/rows/open-row');
        await openDataRow(String(file), Number(row));
      }),
    );
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    return (this.marked.get(document.uri.fsPath)?.marks ?? [])
      .filter(({ diagnostic }) => diagnostic.range.intersection(range))
      .flatMap((mark) => actionsOf(document, mark));
  }

  async run(file: string): Promise<void> {
    if (!(await trusted()) || this.going.has(file)) return;
    const uri = vscode.Uri.file(file);
    if (!(await savedExperiment(this.services, file))) return;
    this.going.add(file);
    try {
      const report = await this.measure(file);
      if (report) await this.show(uri, report);
    } finally {
      this.going.delete(file);
    }
  }

  dispose(): void {
    clearInterval(this.timer);
    this.collection.dispose();
    this.stale.dispose();
    this.registered.dispose();
  }

  /** Undefined if the user canceled. */
  private async measure(file: string): Promise<PreflightLines | undefined> {
    const title = t('Preflight of {0}', experimentName(file));
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    return withProgress(options, async (progress, token) => {
      progress.report({ message: t('Reading the model…') });
      try {
        return await measure(this.services, file, {
          token,
          progress: (message) => progress.report({ message }),
        });
      } catch (e) {
        if (token.isCancellationRequested) return undefined;
        throw e;
      }
    });
  }

  private async show(uri: vscode.Uri, report: PreflightLines): Promise<void> {
    const name = experimentName(uri.fsPath);
    const markdown = preflightMarkdown(name, report);
    const page = this.pages.put(`${name} preflight`, uri.fsPath, markdown);
    await this.mark(uri, report.problems);
    const error = report.problems.find((p) => p.severity === 'error');
    await keepPreflight(this.services.context, uri.fsPath, {
      sum: sumOfText(await readStoredText(uri.fsPath)),
      fits: error === undefined,
      ...(report.estimate && { secondsPerStep: report.estimate.secondsPerStep }),
      markdown,
    });
    const warnings = report.problems.length;
    const run = t('Run');
    const showReport = t('Show Report');
    const picked = error
      ? await notify.error(messageOf(error), showReport)
      : await notify.information(
          `${name}: ${preflightSummary(report) ?? t('nothing was measured')}${warnings === 0 ? '' : ` · ${warnings === 1 ? t('1 warning') : t('{0} warnings', warnings)}`}`,
          run,
          showReport,
        );
    if (picked === run) await vscode.commands.executeCommand(COMMAND.runExperiment, uri.fsPath);
    if (picked === showReport) await openReport(page);
  }

  /**
   * Reports problems at the settings they concern, except those that the editor has already found. Problems of the
   * machine are not the file's fault: the message and the report have them.
   */
  private async mark(uri: vscode.Uri, problems: readonly PreflightProblem[]): Promise<void> {
    const document = await vscode.workspace.openTextDocument(uri);
    const doc = new ExperimentText(uri.fsPath, document.getText());
    const there = vscode.languages.getDiagnostics(uri);
    const marks = problems.flatMap((problem): Mark[] => {
      if (problem.key === undefined) return [];
      const mark = markOf(document, doc, problem.key, problem);
      const { range } = mark.diagnostic;
      const isKnown = there.some((d) => KNOWN.includes(String(d.code)) && d.range.intersection(range));
      return isKnown ? [] : [mark];
    });
    this.collection.set(
      uri,
      marks.map((m) => m.diagnostic),
    );
    if (marks.length > 0) this.marked.set(uri.fsPath, { marks, stamp: await stampOf(await namedFiles(doc)) });
    else this.marked.delete(uri.fsPath);
  }

  private unmark(file: string): void {
    this.marked.delete(file);
    this.collection.delete(vscode.Uri.file(file));
  }

  /** Measurements of other data do not apply to these. */
  private async lookAgain(): Promise<void> {
    for (const [file, before] of [...this.marked]) {
      const document = await readStoredText(file).catch(() => '');
      const now = await stampOf(await namedFiles(new ExperimentText(file, document)));
      if (now !== before.stamp && this.marked.get(file) === before) this.unmark(file);
    }
  }
}

/** A preflight runs the workspace's model, so it needs trust. */
const trusted = (): Promise<boolean> =>
  trustedFor(
    t(
      'A preflight runs the model, which requires a trusted workspace. Budgets, CodeLens and diagnostics work without trust.',
    ),
  );
