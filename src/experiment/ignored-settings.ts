/** A setting that is written but has no effect. */
export interface IgnoredSetting {
  path: (string | number)[];
  /** One sentence. */
  message: string;
}

type Fields = Record<string, unknown>;

const STEPS = 'training.maxSteps';
const EPOCHS = 'training.epochs';

/**
 * Finds each training.epochs that has no effect because training.maxSteps decides how long training takes: in the
 * experiment, and in the settings of its sweep.
 *
 * @param value an experiment as it is written, without defaults; it may be wrong
 */
export function ignoredSettings(value: unknown): IgnoredSetting[] {
  const { training, sweep } = object(value);
  const { maxSteps, epochs } = object(training);
  const { parameters, trials } = object(sweep);
  const varied = object(parameters);
  const isLimited = maxSteps !== undefined || Object.hasOwn(varied, STEPS);
  const found: IgnoredSetting['path'][] = [];
  if (isLimited && epochs !== undefined) found.push(['training', 'epochs']);
  if (isLimited && Object.hasOwn(varied, EPOCHS)) found.push(['sweep', 'parameters', EPOCHS]);
  for (const [i, trial] of (Array.isArray(trials) ? trials : []).map(object).entries())
    if (Object.hasOwn(trial, EPOCHS) && (isLimited || Object.hasOwn(trial, STEPS)))
      found.push(['sweep', 'trials', i, EPOCHS]);
  const message = `${EPOCHS} is ignored, because ${STEPS} sets the number of steps.`;
  return found.map((path) => ({ path, message }));
}

const object = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
