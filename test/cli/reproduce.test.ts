import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSweep } from '../../src/runs/experiment/load';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

describe('aurora reproduce', () => {
  it.each([
    [[], 'takes one table'],
    [['paper', 'debian'], 'takes one table'],
    [['paper'], 'There is no table "paper"'],
    [['demo', '--seeds', '5'], 'aurora reproduce demo has no option --seeds'],
  ])('rejects %j', (args, message) => {
    const r = lab.run('reproduce', ...args);
    expect([r.code, r.err]).toEqual([2, expect.stringContaining(message)]);
  });

  it('has experiments that search learning rates for eight adapters with three seeds and differ only in their data', () => {
    const [debian, spam] = ['debian-sections', 'spam-assassin'].map((name) =>
      loadSweep(join('demo/studies', `${name}.aurora.json`), []),
    );
    expect(debian.trials.map((t) => t.settings)).toEqual(spam.trials.map((t) => t.settings));
    expect(debian.spec).toEqual(spam.spec);
    expect(debian.spec.learningRateSearch).toEqual({ seeds: 1 });
    const rates = new Set(debian.trials.map((t) => t.spec.training.learningRate)).size;
    expect(debian.trials).toHaveLength(8 * rates * 3);
    // The head has no separate rate, so it is searched too.
    for (const { spec } of debian.trials)
      expect(spec.training.headLearningRate).toBe(spec.training.learningRate);
    expect({ ...debian.base, name: '', data: {} }).toEqual({ ...spam.base, name: '', data: {} });
  });

  it('keeps standard output for JSON, and standard error for errors with --quiet', () => {
    // A repository whose experiments have no data: the sweep ends at once.
    mkdirSync(lab.path('clone'));
    symlinkSync(dirname(CLI), lab.path('clone/dist'));
    lab.write('clone/scripts/study-data.mjs', "console.log('• Fetching the data …');");
    for (const name of ['debian-sections', 'spam-assassin'])
      lab.write(`clone/demo/studies/${name}.aurora.json`, '{}');
    const reproduce = (...options: string[]) => {
      const node = ['--preserve-symlinks-main', lab.path('clone/dist/cli.cjs')];
      const r = spawnSync(process.execPath, [...node, 'reproduce', 'demo', ...options], { encoding: 'utf8' });
      return [r.status, r.stdout, r.stderr.trim().split('\n')[0]];
    };
    const error = expect.stringMatching(/^\{"error":\{"kind":"experiment"[^\n]*\}\n$/);
    expect(reproduce('--json')).toEqual([3, error, '• Fetching the data …']);
    expect(reproduce('--json', '--quiet')).toEqual([3, error, expect.stringMatching(/^error: /)]);
  });
});
