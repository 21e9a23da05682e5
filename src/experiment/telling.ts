/**
 * The settings that are most informative about a run's training; other settings of training follow, then those of the
 * method.
 */
const FIRST = [
  'training.learningRate',
  'training.headLearningRate',
  'training.epochs',
  'training.maxSteps',
  'training.batchSize',
  'training.gradientAccumulation',
];
/** The setting that distinguishes runs that are meant to be alike. */
const LAST = 'training.seed';

/**
 * Compares settings by how much they reveal about a run, for its name and for the columns of a table: training before
 * the method, and both before files. Those of the same kind keep their order.
 */
export const byTelling = (a: string, b: string): number => rankOf(a) - rankOf(b);

function rankOf(key: string): number {
  const at = FIRST.indexOf(key);
  if (at >= 0) return at;
  if (key === LAST) return FIRST.length + 2;
  return key.startsWith('training.')
    ? FIRST.length
    : key.startsWith('adapter.')
      ? FIRST.length + 1
      : FIRST.length + 3;
}
