import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { programError, programLine } from '../../executors/local/program';
import { openReport, trustedFor } from '../notices/open-report';
import type { ReportPages } from '../notices/report-pages';
import { saved } from '../ask/saved';
import type { Services } from '../services';
import { verifyArguments } from '../launcher/device-arguments';
import { machineArguments } from '../launcher/trainer-client';
import type { VerifyLine } from '../../protocol/verification';
import { markdownText } from '../../protocol/reports/markdown-text';
import {
  addVerifyLine,
  verifyReport,
  verifySummary,
  type VerifyLines,
} from '../../protocol/reports/verify-report';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/** The files that are being verified. */
const going = new Set<string>();

/** Saves the file, compares the engines and shows the report. */
export async function verify(services: Services, pages: ReportPages, file: string): Promise<void> {
  const message = t('Verifying runs the model, which requires a trusted workspace.');
  if (going.has(file) || !(await trustedFor(message))) return;
  if (!(await saved(file))) return;
  going.add(file);
  try {
    const report = await compare(services, file);
    if (!report?.result) return;
    const name = experimentName(file);
    const page = pages.put(`${name} engines`, file, markdownText(verifyReport(name, report)));
    await tell(file, report.result, page);
  } finally {
    going.delete(file);
  }
}

/** Undefined if the user canceled. */
function compare({ trainer }: Services, file: string): Thenable<VerifyLines | undefined> {
  const title = t('Verifying {0} on both engines', experimentName(file));
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return withProgress(options, async (progress, token) => {
    progress.report({ message: t('Reading the model…') });
    const report: VerifyLines = { ran: [] };
    const onLine = (text: string) => {
      const line = programLine<VerifyLine>(text, ['setup', 'ran', 'kinks', 'result', 'problem']);
      const message = line && addVerifyLine(report, line);
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
  result: NonNullable<VerifyLines['result']>,
  page: vscode.Uri,
): Promise<void> {
  const showReport = t('Show Report');
  const text = `${experimentName(file)}: ${verifySummary(result)}`;
  const picked = result.agree
    ? await notify.information(text, showReport)
    : await notify.error(text, showReport);
  if (picked === showReport) await openReport(page);
}
