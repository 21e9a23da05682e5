import type { PageTrial } from '../../../../src/protocol/panels/sweep';

/** A trial of a sweep over rank and learning rate; by default one that has finished after 100 steps of 1 s. */
export const trial = (number: number, given: Partial<PageTrial> = {}): PageTrial => ({
  id: `t${number}`,
  number,
  runNumber: number,
  name: `#${number} rank 4`,
  settings: {},
  state: 'finished',
  run: `/runs/${number}`,
  can: [],
  step: 100,
  steps: 100,
  epochs: 10,
  spans: [[0, 100_000]],
  improved: [],
  ...given,
});

/** A trial that has not started. */
export const queued = (number: number, given: Partial<PageTrial> = {}): PageTrial =>
  trial(number, {
    state: 'queued',
    run: undefined,
    runNumber: undefined,
    name: `Trial ${number} · rank 4`,
    step: 0,
    steps: 0,
    epochs: 0,
    spans: [],
    ...given,
  });

/** A trial that has trained a part. */
export const part = (number: number, state: PageTrial['state'], step: number, seconds = step): PageTrial =>
  trial(number, { state, step, spans: [[0, 1000 * seconds]] });
