import type { JudgedOn, StudyRun } from './run';

/**
 * The data on which the runs of a data set are compared: the test set if all of them have been scored on the same one,
 * otherwise the mean of their evaluation sets, if those are the same, otherwise the validation set.
 */
export function judgedOn(runs: readonly StudyRun[]): JudgedOn {
  if (haveAll(runs, 'test')) return 'test';
  return haveAll(runs, 'evaluations') ? 'evaluations' : 'validation';
}

const haveAll = (runs: readonly StudyRun[], on: 'test' | 'evaluations'): boolean =>
  runs.every((r) => r[on] !== undefined) &&
  new Set(runs.map((r) => JSON.stringify(r.spec.data[on]))).size === 1;

/** The run with its numbers on that set; `chosenOn` keeps those by which a learning rate is chosen. */
export function judged(run: StudyRun, on: JudgedOn): StudyRun {
  const score = on === 'validation' ? undefined : run[on];
  if (!score) return run;
  const { step, metrics, examples } = score;
  return { ...run, on, step, metrics, examples, chosenOn: run.metrics };
}
