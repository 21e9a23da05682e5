import type * as vscode from 'vscode';
import { addPreflightLine, type PreflightLines } from '../../protocol/reports/preflight-report';
import { deviceArguments } from '../launcher/device-arguments';
import { programError } from '../../executors/local/program';
import { machineArguments } from '../launcher/trainer-client';
import type { Services } from '../services';
import { parsePreflightLine } from '../../tools/preflight-lines';
import { editorHint } from '../words/error-text';

/**
 * Runs `aurora preflight` on a saved experiment file.
 *
 * @param progress gets the present step
 * @throws AuroraError if it could not run, or was canceled; mistakes of the experiment are in the report
 */
export async function measure(
  { trainer }: Services,
  file: string,
  { token, progress }: { token: vscode.CancellationToken; progress?: (message: string) => void },
): Promise<PreflightLines> {
  const report: PreflightLines = { steps: [], problems: [] };
  const onLine = (text: string) => {
    const line = parsePreflightLine(text, editorHint);
    const message = line && addPreflightLine(report, line);
    if (message !== undefined) progress?.(message);
  };
  const args = ['preflight', file, '--json', ...machineArguments(deviceArguments)];
  const result = await trainer.program(args, { token, onLine });
  const told = report.problems.some((p) => p.severity === 'error');
  if (result.code !== 0 && !told) throw programError(result, 'preflight');
  return report;
}
