import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { isHubModel } from '../../files/model-path';
import { experimentName, runPaths, stepName } from '../../runs/layout';
import { shellQuote } from '../../files/shell-quote';
import { betterAnswer, worseWords } from '../../protocol/alarms/baseline';
import { EXPORT_FORMS, TENSORBOARD, type ExportForm, type ExportLine } from '../../protocol/export';
import { runFrom } from '../ask/pick';
import { programError } from '../launcher/program-error';
import { openReport, trustedFor } from '../notices/open-report';
import { bestEvaluation, checkpointSteps, runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { isTreeNode } from '../runs/nodes';
import { dropQuestion, parseExportLine, progressText, resultText } from '../words/export-text';
import { formName, formWords } from '../words/form-words';
import { isHeadAlone, isNonlinear, HEAD_ALONE } from '../../experiment/methods';

type Result = Extract<ExportLine, { kind: 'result' | 'events' }>;

/** Exports a run's adapter in the chosen form. */
export async function exportRun(services: Services, argument: unknown): Promise<void> {
  const { t } = vscode.l10n;
  const message = t('Exporting runs the model to measure it, which requires a trusted workspace.');
  if (!(await trustedFor(message))) return;
  const run = await runFrom(services, argument, { title: t('Select a run to export'), filter: isExportable });
  if (!run || !(await evenIfWorse(run))) return;
  const at = stateOf(run, argument);
  const picked = await pickForm(run);
  const out = picked && (await pickPlace(run, picked.form, at));
  if (!picked || !out) return;
  const result = await work(services, run, picked, at, out);
  if (!result) return;
  services.exported.fire(run.folder);
  await tell(result);
}

/** Asks before what a constant answer would do better is passed on. */
async function evenIfWorse({ run }: RunEntry): Promise<boolean> {
  const { t } = vscode.l10n;
  const better = run && betterAnswer(run);
  if (!better) return true;
  const anyway = t('Export Anyway');
  const options = {
    modal: true,
    detail: t('Its best evaluation is {0}, which needs no model.', worseWords(better, t)),
  };
  const question = t('Export a run that is worse than a constant answer?');
  return (await vscode.window.showWarningMessage(question, options, anyway)) === anyway;
}

/** It has learned something that is saved. */
const isExportable = ({ run }: RunEntry): boolean =>
  run !== undefined && (bestEvaluation(run) !== undefined || checkpointSteps(run).length > 0);

/** Which of a run's states a row represents, as for --at. */
function stateOf({ run }: RunEntry, argument: unknown): string {
  if (isTreeNode(argument) && argument.kind === 'checkpoint') return String(argument.step);
  if (isTreeNode(argument) && argument.kind === 'adapter') return argument.which;
  return run && bestEvaluation(run) ? 'best' : 'last';
}

interface Picked {
  form: ExportForm | typeof TENSORBOARD;
  /** Further options of the command. */
  options: readonly string[];
}

async function pickForm(entry: RunEntry): Promise<Picked | undefined> {
  const { t } = vscode.l10n;
  const adapter = entry.run?.spec.adapter ?? HEAD_ALONE;
  const isFolder = isHubModel(entry.run?.spec.model.path ?? '');
  const forms = EXPORT_FORMS.filter(
    (form) => (form !== 'peft-lora' || !isHeadAlone(adapter)) && (form !== 'safetensors' || isFolder),
  );
  const itemOf = (form: ExportForm) => ({
    label: formName(form, t),
    description: form,
    detail: formWords(form, isNonlinear(adapter), t),
    form,
    options: [] as string[],
  });
  const again = {
    ...itemOf('onnx-merged'),
    label: t('Merged ONNX model, quantized again'),
    detail: t(
      'The quantized model with the adapter merged into its weights. The error that this adds is measured.',
    ),
    options: ['--requantize'],
  };
  const isQuantized = entry.run?.spec.model.quantize !== undefined;
  const items = forms.flatMap((form) =>
    form === 'onnx-merged' && isQuantized ? [itemOf(form), again] : [itemOf(form)],
  );
  const events = {
    label: t('TensorBoard event file'),
    description: TENSORBOARD,
    detail: t('The run’s curves, evaluations and settings.'),
    form: TENSORBOARD,
    options: [] as string[],
  } as const;
  const title = t('Export {0} as', runLabel(entry));
  return vscode.window.showQuickPick<vscode.QuickPickItem & Picked>([...items, events], {
    title,
    ignoreFocusOut: true,
  });
}

/** '' for the run folder itself. */
async function pickPlace(
  entry: RunEntry,
  form: Picked['form'],
  at: string,
): Promise<{ folder?: string } | undefined> {
  const { t } = vscode.l10n;
  const isEvents = form === TENSORBOARD;
  const paths = runPaths(entry.folder);
  const inRun = isEvents ? paths.tensorboard : paths.exports;
  const own = { label: `$(folder) ${t('In the run folder')}`, detail: inRun };
  const other = {
    label: `$(folder-opened) ${t('Choose a folder…')}`,
    detail: t('The export is written to a new subfolder.'),
  };
  const title = t('Select where to write the export');
  const picked = await vscode.window.showQuickPick([own, other], { title, ignoreFocusOut: true });
  if (picked === own) return {};
  if (picked !== other) return undefined;
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: t('Export Here'),
  });
  if (!chosen) return undefined;
  // TensorBoard names a run by its folder.
  if (isEvents)
    return {
      folder: join(
        chosen[0].fsPath,
        `${experimentName(basename(entry.experiment))}-${basename(entry.folder)}`,
      ),
    };
  const step = /^\d+$/.test(at) ? stepName(Number(at)) : at;
  return { folder: join(chosen[0].fsPath, `${experimentName(basename(entry.experiment))}-${form}-${step}`) };
}

/** Undefined if the user canceled, or declined the loss from merging. */
function work(
  { trainer }: Services,
  entry: RunEntry,
  { form, options: more }: Picked,
  at: string,
  { folder }: { folder?: string },
): Thenable<Result | undefined> {
  const { t } = vscode.l10n;
  const title = t('Exporting {0}', runLabel(entry));
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    let result: Result | undefined;
    let declined = false;
    const onLine = (text: string) => {
      const line = parseExportLine(text);
      const message = line && progressText(line, t);
      if (message !== undefined) progress.report({ message });
      if (line?.kind === 'result' || line?.kind === 'events') result = line;
      if (line?.kind === 'ask' && form !== TENSORBOARD)
        void ask(form, line).then((yes) => program.send(yes ? 'yes' : 'no'));
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
      return result;
    } catch (e) {
      if (token.isCancellationRequested) return undefined;
      throw e;
    } finally {
      canceled.dispose();
    }
  });
}

async function ask(form: ExportForm, line: Extract<ExportLine, { kind: 'ask' }>): Promise<boolean> {
  const { question, detail } = dropQuestion(form, line, vscode.l10n.t);
  const keep = vscode.l10n.t('Export Anyway');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, keep)) === keep;
}

async function tell(result: Result): Promise<void> {
  if (result.kind === 'events') return tellEvents(result);
  const { folder, record } = result;
  const [card, copy] = [vscode.l10n.t('Open Model Card'), vscode.l10n.t('Copy Path')];
  const picked = await vscode.window.showInformationMessage(resultText(record, vscode.l10n.t), card, copy);
  if (picked === card) await openCard(folder);
  if (picked === copy) await vscode.env.clipboard.writeText(folder);
}

async function tellEvents({
  folder,
  steps,
  evaluations,
}: Extract<Result, { kind: 'events' }>): Promise<void> {
  const { t } = vscode.l10n;
  const copy = t('Copy Command');
  const message = t('Event file written: {0} training steps and {1} evaluations.', steps, evaluations);
  const picked = await vscode.window.showInformationMessage(message, copy);
  if (picked === copy) await vscode.env.clipboard.writeText(`tensorboard --logdir ${shellQuote(folder)}`);
}

/** Opens the README.md of an export for reading. */
export const openCard = (folder: string): Promise<void> =>
  openReport(vscode.Uri.file(join(folder, 'README.md')));
