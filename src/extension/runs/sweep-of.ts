import { join } from 'node:path';
import { experimentSweeps } from '../../runs/layout';
import type { RunEntry } from './store';

/** The folder of a trial's sweep, whether or not it still exists. */
export const sweepFolderOf = ({ experiment, trial }: RunEntry): string | undefined =>
  trial && join(experimentSweeps(experiment), trial.sweep);
