import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import { experimentName } from '../../runs/layout';
import type { ImportLine } from '../../protocol/import';
import { experimentFrom } from '../ask/pick';
import { programError, programLine } from '../../executors/local/program';
import { trustedFor } from '../notices/open-report';
import { saved } from '../ask/saved';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/** Creates a run from an adapter on disk. */
export async function importAdapter(services: Services, argument: unknown): Promise<void> {
  const message = t('Importing runs the model to measure the adapter, which requires a trusted workspace.');
  if (!(await trustedFor(message))) return;
  // From the Explorer: the adapter's configuration file.
  const given = argument instanceof vscode.Uri ? dirname(argument.fsPath) : undefined;
  const file = await experimentFrom(
    services,
    given === undefined ? argument : undefined,
    t('Select the experiment to import the adapter for'),
  );
  if (file === undefined || !(await saved(file))) return;
  const folder = given ?? (await pickFolder());
  if (folder === undefined) return;
  const result = await work(services, folder, file);
  if (!result) return;
  const { run, metrics, warnings } = result;
  const entry = await services.store.refreshRun(run);
  services.panels.openRun([run]);
  const metric = entry.run?.spec.training.metric ?? 'accuracy';
  const sentence = t(
    '{0} was imported as a run: {1} {2} on the validation data.',
    basename(folder),
    metricInfo(metric).label,
    formatMetric(metric, metricValue(metrics, metric)),
  );
  const resume = t('Continue Training');
  const picked = await notify.information([sentence, ...warnings].join(' '), resume);
  if (picked === resume) await vscode.commands.executeCommand(COMMAND.resumeRun, run);
}

async function pickFolder(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: t('Import'),
    title: t('Select the folder with adapter_config.json and adapter_model.safetensors'),
  });
  return chosen?.[0].fsPath;
}

type Result = Extract<ImportLine, { kind: 'result' }>;

/** Undefined if the user canceled. */
function work({ trainer }: Services, folder: string, file: string): Thenable<Result | undefined> {
  const title = t('Importing {0} for {1}', basename(folder), experimentName(file));
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return withProgress(options, async (progress, token) => {
    progress.report({ message: t('Measuring on the validation examples…') });
    let result: Result | undefined;
    const onLine = (text: string) => {
      const line = programLine<ImportLine>(text, ['preparing', 'result', 'problem']);
      if (line?.kind === 'result') result = line;
    };
    const args = ['import', folder, '--experiment', file, '--json'];
    try {
      const end = await trainer.program(args, { token, onLine, timeout: Infinity });
      if (!result) throw programError(end, 'import');
      return result;
    } catch (e) {
      if (token.isCancellationRequested) return undefined;
      throw e;
    }
  });
}
