import { join, resolve } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Cluster } from '../../../executors/cluster/cluster';
import type { Submission } from '../../../executors/cluster/scheduler';
import { basename } from 'node:path';
import type { SweepRecord, SweepRoom } from '../../../runs/sweep/record';
import type { ParsedArgs } from '../../command';

/** Prints the planned submission, or writes it into the folder of `--write`. */
export async function showSubmission(
  args: ParsedArgs,
  cluster: Cluster,
  { trials, room }: SweepRecord & { room: SweepRoom },
  folder: string,
): Promise<void> {
  const planned = trials.filter((t) => t.planned);
  const submission: Submission = {
    name: `aurora-${basename(folder)}-1`,
    folder: join(folder, 'submissions', '1'),
    tasks: planned.map(({ id, number, run = 'run' }) => ({ trial: id, number, run, step: 0 })),
    ...(room.parallel < planned.length && { parallel: room.parallel }),
    jobs: [],
  };
  const target = args.text('write');
  if (target === undefined) {
    process.stdout.write(`\n${(await cluster.preview(submission)).trimEnd()}\n`);
    return;
  }
  if (!cluster.write)
    throw new AuroraError('usage', `${cluster.scheduler.name} needs no files.`, '--write is for Kubernetes.');
  for (const path of await cluster.write(resolve(target), submission)) process.stdout.write(`${path}\n`);
}
