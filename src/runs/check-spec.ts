import type { ErrorObject } from 'ajv';
import type { Experiment } from '../experiment/experiment';
import { damaged } from '../files/json';
import { schemaValidator } from './experiment/schema-validator';

/**
 * The value of a spec.json. Everything reads it as a whole experiment, so it is checked like one.
 *
 * @throws AuroraError 'run' that names the first wrong setting
 */
export function checkSpec(path: string, value: unknown): Experiment {
  const problem = problemIn(value);
  if (problem === undefined) return value as Experiment;
  throw damaged(path, `is not the experiment of a run: ${problem}`);
}

function problemIn(value: unknown): string | undefined {
  try {
    const validate = schemaValidator();
    if (!validate(value)) return words(validate.errors?.[0]);
  } catch (e) {
    // Lists in lists in lists, for which there is not enough stack.
    if (e instanceof RangeError) return 'its values are nested too deeply';
    throw e;
  }
  // Without a default in the schema, and filled in for every run.
  const { name, training } = value as Partial<Experiment>;
  if (typeof name !== 'string') return 'name is missing';
  if (typeof training?.metric !== 'string') return 'training.metric is missing';
  return undefined;
}

/** Shorter than for a file that a person writes, whose messages an editor need not load to list runs. */
function words(error: ErrorObject | undefined): string {
  const { instancePath = '', keyword, params } = error ?? {};
  const path = instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'required')
    return `${[path, String(params!.missingProperty)].filter((part) => part !== '').join('.')} is missing`;
  return `${path === '' ? 'it' : path} has a value that it cannot have`;
}
