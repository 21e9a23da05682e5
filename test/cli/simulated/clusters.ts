import type { Cluster, ClusterFiles } from '../../../src/executors/cluster/cluster';
import { requestIn } from '../../../src/executors/cluster/request';
import type { JobRef, JobState, Scheduler, Submission } from '../../../src/executors/cluster/scheduler';
import { AuroraError } from '../../../src/base/errors';
import type { SlurmSettings } from '../../../src/experiment/cluster';
import { SHARED_FOLDER } from '../../shared-folder';
import { LARGEST_VARIABLE, PORT_VARIABLE, type Answer, type Request } from './protocol';

/** In place of the one in `executors/slurm/slurm-cluster`: `--on slurm` is the scheduler of the test. */
export function slurmCluster({ parallel, cpus = 1 }: SlurmSettings): Cluster {
  return {
    ...{ place: '', scheduler: new SimulatedScheduler(), files: sharedFolder, threads: cpus, gpu: false },
    parallel,
    preview: ({ tasks }) => Promise.resolve(`a batch script for ${tasks.length} tasks`),
  };
}

class SimulatedScheduler implements Scheduler {
  readonly name = 'the scheduler of the test';
  readonly appearsWithin = 0;

  async check(): Promise<void> {
    await ask({ do: 'states', jobs: [] });
  }

  cluster(): Promise<{ name: string }> {
    return Promise.resolve({ name: 'the cluster of the test' });
  }

  async submit(submission: Submission, submitted: (job: JobRef) => void): Promise<void> {
    const { name, folder, tasks, parallel, jobs } = submission;
    const largest = Number(process.env[LARGEST_VARIABLE] ?? tasks.length);
    const next = jobs.reduce((sum, { count }) => sum + count, 0);
    for (let first = next; first < tasks.length; first += largest) {
      const count = Math.min(largest, tasks.length - first);
      const answer = await ask({ do: 'submit', name, folder, first, count, parallel });
      submitted({ id: (answer as { id: string }).id, first, count });
    }
  }

  async adopt({ name, jobs }: Submission, submitted: (job: JobRef) => void): Promise<void> {
    const answer = (await ask({ do: 'find', name })) as { jobs: JobRef[] };
    for (const job of answer.jobs) if (!jobs.some(({ id }) => id === job.id)) submitted(job);
  }

  async states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]> {
    const found: Map<number, JobState>[] = [];
    for (const { jobs } of submissions) {
      const answer = await ask({ do: 'states', jobs });
      found.push(new Map((answer as { states: [number, JobState][] }).states));
    }
    return found;
  }

  async cancel({ jobs }: Submission, tasks: readonly number[] | 'all'): Promise<void> {
    await ask({ do: 'cancel', jobs, tasks });
  }
}

async function ask(request: Request): Promise<Answer> {
  let text: string;
  try {
    const response = await fetch(`http://127.0.0.1:${process.env[PORT_VARIABLE]}`, {
      method: 'POST',
      body: JSON.stringify(request),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    text = await response.text();
  } catch (e) {
    throw new AuroraError('network', 'The scheduler of the test is not responding.', undefined, { cause: e });
  }
  const answer = JSON.parse(text) as Answer;
  if ('refused' in answer) throw new AuroraError('experiment', answer.refused);
  return answer;
}

const sharedFolder: ClusterFiles = {
  ...SHARED_FOLDER,
  request: (runs, what) => {
    for (const run of runs) requestIn(run, what);
    return Promise.resolve();
  },
};
