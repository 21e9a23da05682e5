import * as vscode from 'vscode';
import type { MeasuredOn } from '../../experiment/evaluation-sets';
import type { PredictLine } from '../../protocol/predictions';
import { programError } from '../launcher/program-error';
import { trustedFor } from '../notices/open-report';
import { runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { programLine } from '../launcher/program-line';
import { count } from '../../base/number-text';

export interface PredictOptions {
  /** best, last or a step */
  at: string;
  on: MeasuredOn;
  again?: boolean;
}

/** Runs, steps and sets with predictions in progress; a second click does not wait. */
const going = new Set<string>();

/**
 * Predicts the examples of a set with a checkpoint, with a progress notification.
 *
 * @returns the step; undefined if the user canceled or it is already in progress
 */
export async function predict(
  { trainer }: Services,
  run: RunEntry,
  { at, on, again = false }: PredictOptions,
): Promise<number | undefined> {
  const { t } = vscode.l10n;
  const message = t(
    'Finding errors runs the model, which requires a trusted workspace. Stored predictions can still be shown.',
  );
  const key = `${at} ${on} ${run.folder}`;
  if (!(await trustedFor(message)) || going.has(key)) return undefined;
  going.add(key);
  const title = t('Errors of {0}', runLabel(run));
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const work = vscode.window.withProgress(options, async (progress, token) => {
    progress.report({ message: t('Reading the model…') });
    let step: number | undefined;
    const onLine = (text: string) => {
      const line = programLine<PredictLine>(text, ['predicting', 'result']);
      if (line?.kind === 'result') step = line.step;
      if (line?.kind !== 'predicting') return;
      const examples = count(line.examples);
      progress.report({ message: t('Predicting {0} examples…', examples) });
    };
    try {
      const args = ['errors', run.folder, '--at', at, '--on', on, '--json', ...(again ? ['--again'] : [])];
      const result = await trainer.program(args, { token, onLine, timeout: Infinity });
      if (step === undefined) throw programError(result, 'errors');
      return step;
    } catch (e) {
      if (token.isCancellationRequested) return undefined;
      throw e;
    }
  });
  try {
    return await work;
  } finally {
    going.delete(key);
  }
}
