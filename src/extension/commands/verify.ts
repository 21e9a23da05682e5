import * as vscode from 'vscode';
import { experimentName } from '../../runs/layout';
import { programError } from '../launcher/program-error';
import { openReport, trustedFor } from '../notices/report-page';
import { saved } from '../ask/saved';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { verifyArguments } from '../launcher/device-arguments';
import { machineArguments } from '../launcher/trainer-client';
import { registerGuarded } from '../ask/guard';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import {
  addVerifyLine,
  parseVerifyLine,
  verifyMarkdown,
  verifySummary,
  type VerifyReport,
} from './verify-report';

const SCHEME = 'aurora-verify';

/** The command that runs an experiment's first batch on both engines and reports where they differ. */
export function registerVerify(services: Services): vscode.Disposable {
  const pages = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const going = new Set<string>();
  const gone = () =>
    `${vscode.l10n.t('This report was lost when its window closed. Verify the experiment again.')}\n`;
  const verify = async (file: string): Promise<void> => {
    const message = vscode.l10n.t('Verifying runs the model, which requires a trusted workspace.');
    if (going.has(file) || !(await trustedFor(message))) return;
    if (!(await saved(file))) return;
    going.add(file);
    try {
      const report = await compare(services, file);
      if (!report?.result) return;
      const page = vscode.Uri.from({
        scheme: SCHEME,
        path: `/${experimentName(file)} engines.md`,
        query: file,
      });
      pages.set(page.toString(), verifyMarkdown(experimentName(file), report, vscode.l10n.t));
      changed.fire(page);
      await tell(file, report.result, page);
    } finally {
      going.delete(file);
    }
  };
  return vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changed.event,
      provideTextDocumentContent: (uri) => pages.get(uri.toString()) ?? gone(),
    }),
    registerGuarded(services.log, COMMAND.verifyEngines, async (argument) => {
      const file = await experimentFrom(services, argument, vscode.l10n.t('Select an experiment to verify'));
      if (file !== undefined) await explaining(() => verify(file));
    }),
  );
}

/** Undefined if the user canceled. */
function compare({ trainer }: Services, file: string): Thenable<VerifyReport | undefined> {
  const { t } = vscode.l10n;
  const title = t('Verifying {0} on both engines', experimentName(file));
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    progress.report({ message: t('Reading the model …') });
    const report: VerifyReport = { ran: [] };
    const onLine = (text: string) => {
      const line = parseVerifyLine(text);
      const message = line && addVerifyLine(report, line, t);
      if (message !== undefined) progress.report({ message });
    };
    try {
      const result = await trainer.program(['verify', file, '--json', ...machineArguments(verifyArguments)], {
        token,
        onLine,
      });
      // Engines that differ are a valid result, reported with exit code 1.
      if (!report.result) throw programError(result, 'verify');
      return report;
    } catch (e) {
      if (token.isCancellationRequested) return undefined;
      throw e;
    }
  });
}

async function tell(
  file: string,
  result: NonNullable<VerifyReport['result']>,
  page: vscode.Uri,
): Promise<void> {
  const { t } = vscode.l10n;
  const showReport = t('Show Report');
  const text = `${experimentName(file)}: ${verifySummary(result, t)}`;
  const picked = result.agree
    ? await vscode.window.showInformationMessage(text, showReport)
    : await vscode.window.showErrorMessage(text, showReport);
  if (picked === showReport) await openReport(page);
}
