import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasSlurm, Slurm } from './slurm';
import { until } from '../until';

describe.skipIf(!hasSlurm)('the Slurm of these tests', () => {
  let slurm: Slurm;
  beforeAll(async () => (slurm = await Slurm.start()));
  afterAll(() => slurm?.stop());

  it('continues with a job after its node has failed, and after the controller was killed', async () => {
    const script = join(slurm.folder, 'job.sh');
    writeFileSync(script, '#!/bin/bash\nexec srun sleep 600\n');
    const job = slurm.command('sbatch', '--parsable', '-o', '/dev/null', script).trim();
    const state = () => slurm.command('squeue', '-h', '-t', 'all', '-j', job, '-o', '%T %N').trim();
    await until(() => state() === 'RUNNING node1', 100);
    await until(() => slurm.processes('node1').length >= 3);
    await slurm.killNode('node1');
    expect(slurm.processes('node1')).toEqual([]);
    await until(() => state() === 'RUNNING node2', 100);
    // The controller saves its state at most 5 s later.
    await sleep(6000);
    await slurm.killController();
    expect(() => state()).toThrow(/Unable to contact slurm controller/);
    slurm.startController();
    await until(() => slurm.answers(), 100);
    expect(state()).toBe('RUNNING node2');
  });
});
