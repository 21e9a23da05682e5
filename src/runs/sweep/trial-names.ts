import { runLabel } from '../run-labels';
import { NumberReader } from '../numbers';
import { readNotes } from '../user';
import { runOf, type TrialRecord } from './record';

/** Names a sweep's trials like their runs ("#12 lr 2e-3") once those have numbers, and until then "Trial 3 · lr 2e-3". */
export class TrialNames {
  private readonly numbers: NumberReader;

  /** @param runs the folder of the experiment's runs */
  constructor(private readonly runs: string) {
    this.numbers = new NumberReader(runs);
  }

  /** The number of its run; undefined before that has one. */
  number({ run }: TrialRecord): number | undefined {
    if (run === undefined) return undefined;
    return this.numbers.known.get(run) ?? this.numbers.lookNow().get(run);
  }

  /** "#12", or "Trial 3" before its run has a number. */
  short(record: TrialRecord): string {
    const number = this.number(record);
    return number === undefined ? `Trial ${record.number}` : `#${number}`;
  }

  of(record: TrialRecord): string {
    const run = runOf(record, this.runs);
    const number = this.number(record);
    return runLabel({
      user: run === undefined ? {} : readNotes(run),
      number,
      id: record.run ?? record.id,
      trial: record,
    });
  }
}
