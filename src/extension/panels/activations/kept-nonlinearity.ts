import type { RunEvent } from '../../../protocol/events';
import type { Nonlinearity } from '../../../protocol/nonlinearity';
import { nonlinearityFile, readNonlinearity } from '../../../runs/nonlinearity';
import { dataStamp, evaluationAt, outdated } from '../../../runs/predictions';
import { PATIENT } from '../../../runs/run-files';

interface Kept {
  /** Changes with the file, the run's journal and the data. */
  key: string;
  result: Nonlinearity;
  outdated?: 'run' | 'data';
}

/** The results of `aurora nonlinearity` in a run. Playing its snapshots reads each once. */
export class KeptNonlinearity {
  private readonly byStep = new Map<number, Kept>();

  constructor(private readonly run: string) {}

  /** Undefined if the step was not measured. */
  async read(
    step: number,
    events: readonly RunEvent[],
  ): Promise<Pick<Kept, 'result' | 'outdated'> | undefined> {
    const file = await PATIENT.stat(nonlinearityFile(this.run, step));
    if (!file) return undefined;
    const written = `${file.size} ${file.mtimeMs} ${file.ino}`;
    const known = this.byStep.get(step);
    const result = known?.key.startsWith(written) ? known.result : await readNonlinearity(this.run, step);
    if (!result) return undefined;
    // Only then are the data read.
    const key = `${written} ${JSON.stringify(evaluationAt(events, step, 'validation'))} ${await dataStamp(result)}`;
    if (known?.key === key) return known;
    const kept = { key, result, outdated: await outdated(result, step, events) };
    this.byStep.set(step, kept);
    return kept;
  }
}
