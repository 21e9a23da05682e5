import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { untrusted } from '../../../executors/missing-piece';
import type { CheckedExperiment } from '../../../runs/experiment/load';
import { requireUsable } from '../../ask/checked-experiment';
import { savedExperiment } from '../../hub/downloading';
import { notify } from '../../messages/notify';
import { startUnlessBusy } from '../../queue/ask-busy';
import { startRun } from '../../queue/start-queued';
import type { Services } from '../../services';

/**
 * Saves the file, checks it, starts a run of it and opens its dashboard. If something is in progress, the user may queue
 * it instead.
 *
 * @returns the new run folder; undefined if it was not started
 */
export async function trainExperiment(services: Services, file: string): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  const checked = await savedExperiment(services, file);
  if (!checked) return undefined;
  const { experiment: spec, doc } = await requireUsable(checked);
  if (!(await runAnyway(services, checked))) return undefined;
  const wanted = { kind: 'run' as const, file, text: doc.text, spec };
  const run = await startUnlessBusy(services, wanted, () => startRun(services, wanted));
  if (run !== undefined) services.panels.openRun([run]);
  return run;
}

/**
 * Asks before something is run that the editor expects to fail. True if no error is known, or if it is to be run anyway. A
 * model is only looked at if it has been read before.
 *
 * @param checked the experiment as saved
 * @param here false if it trains on another machine, which preflight does not describe
 */
export async function runAnyway(
  services: Services,
  checked: CheckedExperiment,
  here = true,
): Promise<boolean> {
  const [first, ...others] = await errorsOf(services, checked, here);
  if (first === undefined) return true;
  const show = t('Show Problems');
  const anyway = t('Run Anyway');
  const more = others.length === 0 ? [] : [t('More problems: {0}.', others.length)];
  const detail = [t('The run is expected to fail.'), ...more].join(' ');
  const picked = await notify.warning(first, { modal: true, detail }, show, anyway);
  if (picked === show) {
    await vscode.window.showTextDocument(vscode.Uri.file(checked.doc.file));
    await vscode.commands.executeCommand('workbench.actions.view.problems');
  }
  return picked === anyway;
}

/** The errors of the text, of the files that it names, and of its last preflight. */
async function errorsOf({ models }: Services, checked: CheckedExperiment, here: boolean): Promise<string[]> {
  const { analyze, firstModelState, modelPathOf } = await import('../../language/analysis');
  const { HeadCache } = await import('../../language/data-head');
  const { inputFilesOf } = await import('../../language/checks/check-inputs');
  const { doc } = checked;
  const path = await modelPathOf(doc);
  const model = await firstModelState(path, path === undefined ? undefined : models.cached(path));
  const heads = new HeadCache();
  const head = heads.read.bind(heads);
  const unusable = models.cachedUnusable(await inputFilesOf(doc));
  const { findings } = await analyze(checked, { model, unusable, known: [], head });
  const measured = vscode.languages
    .getDiagnostics(vscode.Uri.file(doc.file))
    .filter((d) => here && d.code === 'preflight' && d.severity === vscode.DiagnosticSeverity.Error);
  return [...findings.filter((f) => f.severity === 'error'), ...measured].map((f) => f.message);
}
