import { expect, it } from 'vitest';
import { runChild } from '../../../../src/executors/remote/child';

it('returns what a program has printed, also if a process that it left behind holds its output', async () => {
  const script = 'sleep 60 & echo "$!"; echo why >&2; exit 3';
  const output = await runChild('/bin/sh', ['-c', script], { timeoutMs: 3000 });
  process.kill(Number(output?.stdout));
  expect(output).toEqual({ code: 3, stdout: expect.stringMatching(/^\d+\n$/), stderr: 'why\n' });
});

it('ends a program after its time, and returns nothing', async () => {
  expect(await runChild('/bin/sh', ['-c', 'echo begun; sleep 60'], { timeoutMs: 100 })).toBeUndefined();
});
