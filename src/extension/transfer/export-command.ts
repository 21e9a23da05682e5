import { join } from 'node:path';
import * as vscode from 'vscode';
import {
  dropReason,
  dropText,
  eventsText,
  exportProgress,
  exportSummary,
} from '../../protocol/reports/export-report';
import { programLine } from '../../executors/local/program';
import { shellQuote } from '../../base/shell-quote';
import { t } from '../../base/l10n';
import { TENSORBOARD, type ExportForm, type ExportLine } from '../../protocol/export';
import { limitsText, unmetLimits, type VllmLimit } from '../../protocol/vllm-limits';
import { runFrom, namesOf, runsFrom } from '../ask/pick';
import { programError } from '../../executors/local/program';
import { openReport, trustedFor } from '../notices/open-report';
import { runLabel } from '../runs/label';
import { isTreeNode, rowsFor } from '../runs/nodes';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { isExportable, stateOf, evenIfWorse, pickForm, pickPlace, type Picked } from './export-questions';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

const KINDS: ExportLine['kind'][] = [
  ...(['preparing', 'fitting', 'not-fitted', 'limits', 'measuring'] as const),
  ...(['refine-cost', 'refine-step', 'refine-evaluation'] as const),
  ...(['ask', 'declined', 'result', 'events', 'problem'] as const),
];

type Result = Extract<ExportLine, { kind: 'result' | 'events' }>;

/** Exports the adapter of a run in the chosen form, or those of several, one after the other. */
export async function exportRun(services: Services, ...args: readonly unknown[]): Promise<void> {
  const message = t('Exporting runs the model to measure it, which requires a trusted workspace.');
  if (!(await trustedFor(message))) return;
  const runs = await runsToExport(services, args);
  if (runs.length === 0 || !(await evenIfWorse(runs))) return;
  const picked = await pickForm(runs);
  const place = picked && (await pickPlace(runs, picked.form));
  if (!picked || !place) return;
  if (runs.length > 1) return exportAll(services, runs, picked, place);
  const [run] = runs;
  const at = stateOf(run, args[0]);
  const result = await withNotification(t('Exporting {0}', runLabel(run)), (notification) =>
    work(services, run, { picked, at, out: place(run, at) }, notification),
  );
  if (typeof result === 'string') return;
  services.partsChanged.fire(run.folder);
  await tell(result);
}

/** The run, or those of several rows or folders that have something to export. */
async function runsToExport(services: Services, args: readonly unknown[]): Promise<RunEntry[]> {
  const [argument] = args;
  const all = rowsFor(args);
  if (!Array.isArray(argument) && all.length < 2) {
    const run = await runFrom(services, argument, {
      title: t('Select a run to export'),
      filter: isExportable,
    });
    return run ? [run] : [];
  }
  // Several rows export runs, not the checkpoints and adapters among them.
  const rows = all.filter((row) => !isTreeNode(row) || row.kind === 'run');
  const given = await runsFrom(services, [rows], { title: t('Select the runs to export') });
  const runs = given.filter(isExportable);
  if (runs.length < given.length) {
    const without = given.filter((run) => !isExportable(run));
    void notify.warning(t('There is no saved adapter yet to export of {0}.', namesOf(without)));
  }
  return runs;
}

/** If one fails, the others are still exported. */
async function exportAll(
  services: Services,
  runs: readonly RunEntry[],
  picked: Picked,
  place: (run: RunEntry, at: string) => string | undefined,
): Promise<void> {
  const folders: string[] = [];
  const failed: { run: RunEntry; error: unknown }[] = [];
  let isCanceled = false;
  await withNotification(t('Exporting {0} runs', runs.length), async ({ progress, token }) => {
    for (const [i, run] of runs.entries()) {
      isCanceled = token.isCancellationRequested;
      if (isCanceled) return;
      const name = t('{0} of {1}: {2}', i + 1, runs.length, runLabel(run));
      const named = (message: string) => progress.report({ message: `${name} · ${message}` });
      const at = stateOf(run, undefined);
      const options = { picked, at, out: place(run, at), name };
      try {
        const result = await work(services, run, options, {
          progress: { report: ({ message = '' }) => named(message) },
          token,
        });
        isCanceled = token.isCancellationRequested;
        if (typeof result === 'string') continue;
        services.partsChanged.fire(run.folder);
        folders.push(result.folder);
      } catch (error) {
        failed.push({ run, error });
      }
    }
  });
  if (isCanceled && folders.length === 0) return;
  await tellAll(folders, runs.length, failed);
}

interface Export {
  picked: Picked;
  /** The state of the run. */
  at: string;
  /** By default, in the run's folder. */
  out: string | undefined;
  /** The name of the run among several, for questions. */
  name?: string;
}

interface Notification {
  progress: vscode.Progress<{ message?: string }>;
  token: vscode.CancellationToken;
}

const withNotification = <T>(
  title: string,
  action: (notification: Notification) => Promise<T>,
): Thenable<T> =>
  withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (progress, token) => action({ progress, token }),
  );

/** 'declined': the loss from merging. */
async function work(
  { trainer }: Services,
  entry: RunEntry,
  { picked: { form, options: more }, at, out: folder, name }: Export,
  { progress, token }: Notification,
): Promise<Result | 'canceled' | 'declined'> {
  let result: Result | undefined;
  let declined = false;
  const onLine = (text: string) => {
    const line = programLine<ExportLine>(text, KINDS);
    const message = line && exportProgress(line);
    if (message !== undefined) progress.report({ message });
    if (line?.kind === 'limits') warnOfLimits(line.limits, name);
    if (line?.kind === 'result' || line?.kind === 'events') result = line;
    if (line?.kind === 'ask' && form !== TENSORBOARD)
      void ask(form, line, name).then((yes) => program.send(yes ? 'yes' : 'no'));
    if (line?.kind === 'declined') declined = true;
  };
  const out = folder === undefined ? [] : ['--out', folder];
  const state = form === TENSORBOARD ? [] : ['--at', at];
  const args = ['export', entry.folder, '--as', form, ...state, ...more, ...out, '--json'];
  const program = await trainer.open(args, { onLine });
  const canceled = token.onCancellationRequested(() => program.kill('was canceled'));
  try {
    const end = await program.ended;
    if (!result && !declined) throw programError(end, 'export');
    return result ?? 'declined';
  } catch (e) {
    if (token.isCancellationRequested) return 'canceled';
    throw e;
  } finally {
    canceled.dispose();
  }
}

/** Before the files are written: they are of use elsewhere, so nothing is asked. */
function warnOfLimits(limits: readonly VllmLimit[], name: string | undefined): void {
  if (unmetLimits(limits).length === 0) return;
  const of = name === undefined ? '' : `${name}: `;
  void notify.warning(`${of}${limitsText(limits)}`);
}

async function ask(
  form: ExportForm,
  line: Extract<ExportLine, { kind: 'ask' }>,
  name: string | undefined,
): Promise<boolean> {
  const question = `${dropText(form, line)} ${t('Export anyway?')}`;
  const detail = [name, dropReason(line)].filter((part) => part !== undefined).join('\n\n');
  const keep = t('Export Anyway');
  return (await notify.warning(question, { modal: true, detail }, keep)) === keep;
}

async function tell(result: Result): Promise<void> {
  if (result.kind === 'events') return tellEvents(result);
  const { folder, record } = result;
  const [card, copy] = [t('Open Model Card'), t('Copy Path')];
  const picked = await notify.information(exportSummary(record), card, copy);
  if (picked === card) await openCard(folder);
  if (picked === copy) await vscode.env.clipboard.writeText(folder);
}

async function tellEvents(line: Extract<Result, { kind: 'events' }>): Promise<void> {
  const copy = t('Copy Command');
  const picked = await notify.information(eventsText(line), copy);
  if (picked === copy)
    await vscode.env.clipboard.writeText(`tensorboard --logdir ${shellQuote(line.folder)}`);
}

async function tellAll(
  folders: readonly string[],
  runs: number,
  failed: readonly { run: RunEntry; error: unknown }[],
): Promise<void> {
  const done =
    folders.length === runs
      ? t('{0} runs exported.', runs)
      : t('{0} of {1} runs exported.', folders.length, runs);
  const problems = failed.map(({ run, error }) => `${runLabel(run)}: ${(error as Error).message}`);
  const show = problems.length > 0 ? notify.warning : notify.information;
  const copy = t('Copy Paths');
  const picked = await show([done, ...problems].join(' '), ...(folders.length > 0 ? [copy] : []));
  if (picked === copy) await vscode.env.clipboard.writeText(folders.join('\n'));
}

/** Opens the README.md of an export for reading. */
export const openCard = (folder: string): Promise<void> =>
  openReport(vscode.Uri.file(join(folder, 'README.md')));
