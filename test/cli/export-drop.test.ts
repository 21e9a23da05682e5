import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExportLine } from '../../src/protocol/export';
import { CLI, Lab } from './lab';

const lab = new Lab({
  adapter: { activation: 'sigmoid', alpha: 8 },
  training: { epochs: 8, learningRate: 0.03, checkpointEvery: 1000, metric: 'loss' },
});
afterAll(() => lab.remove());

describe('a merge that loses more than --max-drop', () => {
  // σ(0) of a sigmoid is far from zero.
  const r = lab.run('train', lab.experiment, '--out', lab.path('lossy'));
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  const [run] = lab.runs(lab.path('lossy'));
  const out = lab.path('lossy-merged');
  const args = ['export', run, '--as', 'onnx-merged', '--merge', 'paper', '--at', 'last', '--out', out];

  it('is rejected if nobody can be asked, with a hint', () => {
    const r = lab.run(...args);
    expect([r.code, r.out]).toEqual([23, '']);
    expect(r.err).toMatch(
      /Merged ONNX model: loss changes from .* Here, loss rises by [\d.]+%; confirmation is required above 1%\./,
    );
    expect(r.err).toMatch(/\n {7}Keep it with --accept-drop/);
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    ['no', 23, 'declined'],
    ['yes', 0, 'result'],
  ])('asks the calling program and follows its answer: %s', async (answer, code, last) => {
    const child = spawn(process.execPath, [CLI, ...args, '--json'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: ExportLine[] = [];
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as ExportLine;
      lines.push(line);
      // The pipe stays open, so the program must not wait for EOF.
      if (line.kind === 'ask') child.stdin.write(`${answer}\n`);
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(code);
    const ask = lines.find((l) => l.kind === 'ask')!;
    expect(ask.limit).toBe(1);
    expect(ask.drop.loss).toBeCloseTo(100 * (ask.metrics.exported.loss / ask.metrics.trained.loss - 1), 9);
    expect(lines.at(-1)!.kind).toBe(last);
    expect(existsSync(out)).toBe(answer === 'yes');
  });

  it('is kept without a question if it loses no more than allowed', () => {
    const r = lab.run(...args, '--max-drop', '1000000');
    expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('Export anyway')]);
    expect(lab.run(...args, '--max-drop', 'x').err).toContain(
      '--max-drop takes points or percent, at least 0',
    );
  });

  it('leaves nothing behind when it is ended midway', async () => {
    const folder = lab.path('ended');
    const child = spawn(process.execPath, [CLI, ...args.slice(0, -1), folder, '--json'], { stdio: 'pipe' });
    await new Promise<void>((resolve) =>
      createInterface({ input: child.stdout }).on('line', (text) => {
        if (text.includes('"ask"')) resolve();
      }),
    );
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(130);
    expect(readdirSync(lab.folder).filter((name) => name.includes('ended'))).toEqual([]);
    expect(readdirSync(run).filter((name) => name.startsWith('export-'))).toEqual([]);
  });
});
