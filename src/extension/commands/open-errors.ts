import type { MeasuredOn } from '../../experiment/evaluation-sets';
import { predictionsFile } from '../../runs/predictions';
import { fileVersion } from '../../runs/summary-reader';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { predict } from './predict';

/** Opens the Errors view of a step on a set, after predicting it unless that was done before. */
export async function openErrors(
  services: Services,
  run: RunEntry,
  step: number,
  on: MeasuredOn,
): Promise<void> {
  const isThere = (await fileVersion(predictionsFile(run.folder, step, on))) !== '';
  const known = isThere ? step : await predict(services, run, { at: String(step), on });
  if (known !== undefined) services.panels.openErrors(run.folder, known, on);
}
