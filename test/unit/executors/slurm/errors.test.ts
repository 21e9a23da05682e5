import { describe, expect, it } from 'vitest';
import { slurmError } from '../../../../src/executors/slurm/slurm-errors';

const failed = (stderr: string) => slurmError('Slurm on login', { code: 1, stdout: '', stderr }, 'squeue');

describe('a failed command of Slurm', () => {
  it.each([
    'Unable to contact slurm controller (connect failure)',
    'Socket timed out on send/recv operation',
    'Communication connection failure',
    'Message receive failure',
    'Zero Bytes were transmitted or received',
    'Slurm backup controller in standby mode',
    // The controller ended while it answered.
    'Connection reset by peer',
    'Connection refused',
    'Broken pipe',
    'No route to host',
    'Network is unreachable',
  ])('means that the controller is not responding: %s', (said) => {
    expect(failed(`slurm_load_jobs error: ${said}\n`)).toMatchObject({
      kind: 'network',
      hint: 'Jobs in its queue are not affected.',
    });
  });

  it('is otherwise reported with its output', () => {
    expect(failed('slurm_load_jobs error: Invalid job id specified\n')).toMatchObject({
      kind: 'failed',
      message: 'Slurm on login: squeue failed: slurm_load_jobs error: Invalid job id specified.',
    });
  });
});
