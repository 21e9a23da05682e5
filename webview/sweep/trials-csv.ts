import { own } from '../../src/base/names';
import { valueText } from '../../src/experiment/sweep';
import type { PageTrial } from '../../src/protocol/panels/sweep';
import { trainedSeconds } from '../../src/study/sweep/trials';
import { csv } from '../ui/csv';
import type { Shown } from './model';

/** The trials with all digits. */
export const trialsCsv = ({ facts }: Shown, trials: readonly PageTrial[]): string =>
  csv([
    [
      'trial',
      'run number',
      ...facts.varied,
      'state',
      facts.metric,
      'loss',
      'step',
      'steps',
      'seconds',
      'run folder',
    ],
    ...trials.map((trial) => [
      trial.number,
      trial.runNumber ?? '',
      ...facts.varied.map((key) => {
        const value = own(trial.settings, key);
        return value === undefined ? '' : typeof value === 'number' ? value : valueText(value);
      }),
      trial.state,
      trial.metric ?? '',
      trial.loss ?? '',
      trial.step,
      trial.steps,
      trainedSeconds(trial),
      trial.run ?? '',
    ]),
  ]);
