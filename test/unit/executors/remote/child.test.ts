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

it('ends a program that prints without end, and says so', async () => {
  const began = runChild('yes', [], { timeoutMs: 60_000, mostBytes: 1_000_000 });
  await expect(began).rejects.toMatchObject({ kind: 'network', message: expect.stringContaining('yes') });
});

it('keeps the beginning and the end of endless errors', async () => {
  const script = 'echo first >&2; head -c 3000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo last >&2';
  const output = await runChild('/bin/sh', ['-c', script], { timeoutMs: 60_000 });
  expect(output!.stderr.length).toBeLessThan(100_000);
  expect(output!.stderr).toMatch(/^first\n/);
  expect(output!.stderr).toMatch(/last\n$/);
  expect(Math.max(...output!.stderr.split('\n').map((line) => line.length))).toBeLessThan(600);
});

it('reads characters that come in two pieces', async () => {
  const heard: string[] = [];
  const script = "printf 'caf\\303'; sleep 0.2; printf '\\251'";
  const output = await runChild('/bin/sh', ['-c', script], {
    timeoutMs: 60_000,
    output: (text) => heard.push(text),
  });
  expect([output!.stdout, heard.join('')]).toEqual(['café', 'café']);
});
