import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rangesText, trialsText } from '../../../src/sweeps/causes';
import { namedTrials } from '../../../src/sweeps/checkpoints';
import { createFolder, createRun, experimentRuns, reserveRunId } from '../../../src/runs/layout';
import type { TrialRecord } from '../../../src/runs/sweep/record';
import { TrialNames } from '../../../src/runs/sweep/trial-names';
import { writeUser } from '../../../src/runs/user';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();

/** Five trials over the rank; the sweep's first run is the experiment's second. */
function sweep() {
  const runs = experimentRuns(join(folder(), 'mine.aurora.json'));
  createRun(runs);
  const trials = [1, 2, 4, 8, 16].map((rank, i): TrialRecord => ({
    ...{ id: `t${i + 1}`, number: i + 1, planned: true },
    settings: { 'adapter.rank': rank },
  }));
  return { runs, trials, names: new TrialNames(runs) };
}

it('names a trial like its run as soon as that has a number', () => {
  const { runs, trials, names } = sweep();
  const [trial] = trials;
  expect([names.of(trial), names.short(trial), names.number(trial)]).toEqual([
    'Trial 1 · rank 1',
    'Trial 1',
    undefined,
  ]);
  trial.run = reserveRunId(runs);
  expect([names.of(trial), names.short(trial), names.number(trial)]).toEqual(['#2 rank 1', '#2', 2]);
  writeUser(createFolder(join(runs, trial.run)), { name: 'My baseline' });
  expect(names.of(trial)).toBe('#2 My baseline');
});

it('names several trials by ranges of their runs, apart from those without', () => {
  const { runs, trials, names } = sweep();
  for (const trial of trials.slice(0, 3)) trial.run = reserveRunId(runs);
  expect(trialsText(trials.slice(0, 1), names)).toBe('#2 rank 1');
  expect(trialsText(trials.slice(0, 3).reverse(), names)).toBe('#2-4');
  expect(trialsText([trials[0], trials[2], trials[4]], names)).toBe('#2, #4, trial 5');
  expect(trialsText(trials.slice(3), names)).toBe('trials 4, 5');
  expect(rangesText([1, 2, 3, 7, 8], '#')).toBe('#1-3, #7, #8');
});

it('takes trials by their own numbers and by those of their runs', () => {
  const { runs, trials, names } = sweep();
  for (const trial of trials.slice(0, 3)) trial.run = reserveRunId(runs);
  const named = (given: string) => {
    const found = namedTrials('cancel', given, trials, names);
    return found === 'all' ? found : found.map((t) => t.number);
  };
  expect([named('all'), named('2'), named('#2'), named('5, #4,1'), named('1,#2')]).toEqual([
    ...['all', [2], [1], [5, 3, 1], [1]],
  ]);
  // Run 1 is another one, run 6 does not exist, and nor does trial 6.
  for (const wrong of ['#1', '#6', '6', '', 'x', '#', '1,'])
    expect(() => named(wrong)).toThrow(`with commas in between, not "${wrong}"`);
});
