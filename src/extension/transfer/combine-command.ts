import { basename } from 'node:path';
import * as vscode from 'vscode';
import { isCombinable } from '../../adapters/combine/combinable';
import { t } from '../../base/l10n';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import { type CombineLine, combineProgress } from '../../protocol/combine';
import { namesOf, runsFrom } from '../ask/pick';
import { COMMAND } from '../ids';
import { programError, programLine } from '../../executors/local/program';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import { trustedFor } from '../notices/open-report';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { askCombination } from './combine-questions';
import { isExportable } from './export-questions';

const KINDS: CombineLine['kind'][] = [
  ...(['preparing', 'reading', 'fitting', 'combining', 'measuring', 'result', 'problem'] as const),
];

type Result = Extract<CombineLine, { kind: 'result' }>;

/** Makes one adapter of those of several runs, as a run. */
export async function combineAdapters(services: Services, ...args: readonly unknown[]): Promise<void> {
  const message = t('Combining runs the model to measure the result, which requires a trusted workspace.');
  if (!(await trustedFor(message))) return;
  const runs = await runsFrom(services, args, {
    title: t('Select the runs whose adapters to combine'),
    filter: isExportable,
    least: 2,
  });
  if (runs.length === 0) return;
  const others = runs.filter(({ run }) => !run || !isCombinable(run.spec.adapter));
  if (others.length > 0) {
    void notify.warning(
      t('The adapters of {0} are not low-rank products, so they cannot be combined.', namesOf(others)),
    );
    return;
  }
  const options = await askCombination(runs);
  if (!options) return;
  const result = await work(services, runs, options);
  if (result) await tell(services, runs, result);
}

/** Undefined if the user canceled. */
function work(
  { trainer }: Services,
  runs: readonly RunEntry[],
  options: readonly string[],
): Thenable<Result | undefined> {
  const title = t('Combining {0} adapters', runs.length);
  const where = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return withProgress(where, async (progress, token) => {
    let result: Result | undefined;
    const onLine = (text: string) => {
      const line = programLine<CombineLine>(text, KINDS);
      const shown = line?.kind === 'reading' ? { ...line, adapter: basename(line.adapter) } : line;
      const message = shown && combineProgress(shown);
      if (message !== undefined) progress.report({ message });
      if (line?.kind === 'result') result = line;
    };
    const args = ['combine', ...runs.map(({ folder }) => folder), ...options, '--json'];
    try {
      const end = await trainer.program(args, { token, onLine, timeout: Infinity });
      if (!result) throw programError(end, 'combine');
      return result;
    } catch (e) {
      if (token.isCancellationRequested) return undefined;
      throw e;
    }
  });
}

async function tell(
  services: Services,
  runs: readonly RunEntry[],
  { run, metrics, warnings }: Result,
): Promise<void> {
  const entry = await services.store.refreshRun(run);
  services.panels.openRun([run]);
  const metric = entry.run?.spec.training.metric ?? 'accuracy';
  const sentence = t(
    '{0} adapters were combined into a run: {1} {2} on the validation data.',
    runs.length,
    metricInfo(metric).label,
    formatMetric(metric, metricValue(metrics, metric)),
  );
  const compare = t('Compare');
  const picked = await notify.information([sentence, ...warnings].join(' '), compare);
  if (picked === compare)
    await vscode.commands.executeCommand(COMMAND.compareRuns, [run, ...runs.map(({ folder }) => folder)]);
}
