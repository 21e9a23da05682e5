import type * as vscode from 'vscode';
import type { MeasuredOn } from '../../../experiment/evaluation-sets';
import type { PredictLine } from '../../../protocol/predictions';
import { programError } from '../../launcher/program-error';
import type { Predicting } from './session';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { programLine } from '../../launcher/program-line';

export interface PredictOptions {
  /** best, last or a step */
  at: string;
  on: MeasuredOn;
  again: boolean;
  token: vscode.CancellationToken;
  told(so: Predicting): void;
}

/** Predicts the examples of a set with a checkpoint, and reports how far. Resolves too if it was canceled. */
export async function predict(
  { trainer }: Services,
  run: RunEntry,
  { at, on, again, token, told }: PredictOptions,
): Promise<void> {
  let ended = false;
  const onLine = (text: string) => {
    const line = programLine<PredictLine>(text, ['predicting', 'partial', 'result']);
    if (line?.kind === 'result') ended = true;
    if (line?.kind === 'predicting') told({ done: 0, of: line.examples });
    if (line?.kind === 'partial') told(line);
  };
  try {
    const args = ['errors', run.folder, '--at', at, '--on', on, '--json', ...(again ? ['--again'] : [])];
    const result = await trainer.program(args, { token, onLine, timeout: Infinity });
    if (!ended) throw programError(result, 'errors');
  } catch (e) {
    if (!token.isCancellationRequested) throw e;
  }
}
