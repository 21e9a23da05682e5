import { readFileSync } from 'node:fs';
import { ExperimentText } from '../../src/runs/experiment/experiment-text';
import { checkWithTrials, loadSweep } from '../../src/runs/experiment/load';
import { timed } from './timed';

/** The times to make the file's trials: in `aurora sweep`, and in the editor after each pause in typing. */
export async function experimentCase({ file }: { file: string }): Promise<Record<string, number>> {
  const load = await timed(() => loadSweep(file));
  const text = readFileSync(file, 'utf8');
  const check = await timed(() => checkWithTrials(new ExperimentText(file, text)));
  return { load: load.ms, check: check.ms };
}
