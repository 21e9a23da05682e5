import type { Experiment } from '../experiment/experiment';
import { damaged } from '../files/json';
import { schemaProblems } from './experiment/problems';
import { schemaValidator } from './experiment/schema-validator';

/**
 * The value of a spec.json. Everything reads it as a whole experiment, so it is checked like one.
 *
 * @throws AuroraError 'run' that names the first wrong setting
 */
export function checkSpec(path: string, value: unknown): Experiment {
  const problem = problemIn(value);
  if (problem === undefined) return value as Experiment;
  throw damaged(path, `is not the experiment of a run: ${problem.replace(/\.$/, '')}`);
}

function problemIn(value: unknown): string | undefined {
  try {
    const validate = schemaValidator();
    if (!validate(value)) return schemaProblems(validate.errors ?? [], value)[0]?.message ?? 'it is invalid';
  } catch (e) {
    // Of lists in lists in lists, for which there is not enough stack.
    if (e instanceof RangeError) return 'its values are nested too deeply';
    throw e;
  }
  // Without a default in the schema, and filled in for every run.
  const { name, training } = value as Partial<Experiment>;
  if (typeof name !== 'string') return 'name is missing';
  if (typeof training?.metric !== 'string') return 'training.metric is missing';
  return undefined;
}
