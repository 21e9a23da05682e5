import { join } from 'node:path';
import { sweepReport } from '../../src/cli/commands/sweep/report';
import { SweepLines } from '../../src/cli/commands/sweep/progress';
import { planText } from '../../src/cli/commands/sweep/plan';
import { experimentRuns } from '../../src/runs/layout';
import { TrialLooker } from '../../src/runs/sweep/looker';
import { readSweep, writeSweep } from '../../src/runs/sweep/record';
import { decide } from '../../src/trainer/sweep/halving';
import { timed } from './timed';

/** Parts of what `aurora sweep` does. */
export async function queueCase({
  file,
  sweep,
}: {
  file: string;
  sweep: string;
}): Promise<Record<string, number>> {
  const read = await timed(() => readSweep(sweep)!);
  const record = read.value;
  const runs = experimentRuns(file);
  const looker = new TrialLooker();
  const look = () =>
    record.trials.map((t) => looker.look(t, t.run === undefined ? undefined : join(runs, t.run)));
  const first = await timed(look);
  const next = await timed(look);
  const trials = next.value;
  const verdicts = await timed(() => decide(trials, { eta: 3, minSteps: 100 }, record.metric));
  const screen = new SweepLines(record);
  const progress = await timed(() => screen.looked(trials, verdicts.value));
  const plan = await timed(() => planText({ ...record, room: record.room! }, trials));
  const report = await timed(() =>
    sweepReport(record, { trials, verdicts: verdicts.value, elsewhere: new Map() }),
  );
  const write = await timed(() => writeSweep(sweep, record));
  return {
    ...{ read: read.ms, write: write.ms, first: first.ms, next: next.ms, decide: verdicts.ms },
    ...{ progress: progress.ms, plan: plan.ms, report: report.ms },
  };
}
