import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluated, finished, makeRun, spec, started } from '../unit/extension/run-maker';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

function experiment(folder: string, name: string): string {
  mkdirSync(join(lab.folder, folder), { recursive: true });
  const file = lab.path(join(folder, `${name}.aurora.json`));
  writeFileSync(file, '{}');
  return file;
}
const make = (file: string, seed: number) =>
  makeRun(file, {
    at: new Date(Date.UTC(2026, 0, 1, 0, seed)),
    spec: { ...spec, training: { ...spec.training, seed } },
    events: [started, evaluated(40, 0.8), finished(40, 0.8)],
  });

describe('a run is named by its number', () => {
  const [one, other] = [experiment('many', 'one'), experiment('many/deep', 'other')];
  const runs = [make(one, 1), make(one, 2), make(other, 1)];
  const found = (name: string) => {
    const r = lab.run('runs', name, '--json', '--columns', 'number');
    return r.code === 0
      ? (JSON.parse(r.out) as { rows: { folder: string; number: number }[] }).rows
      : r.err.replace(/\s+/g, ' ');
  };

  it('in the current folder and those below, with its experiment if several have that number', () => {
    expect(found('#2')).toEqual([{ folder: runs[1], number: 2 }]);
    expect(found('one#1')).toEqual([{ folder: runs[0], number: 1 }]);
    expect(found(`${other}#1`)).toEqual([{ folder: runs[2], number: 1 }]);
    expect(found('#1')).toMatch(/2 runs have the number 1\. Name the experiment, too: one#1 or other#1\./);
    expect(found('#7')).toMatch(/No run here has the number 7\. List the runs with `aurora runs`/);
    expect(found('other#2')).toMatch(/other has no run with the number 2/);
  });

  it('wherever a command takes a run', () => {
    for (const args of [
      ['export', 'one#1', '--as', 'tensorboard'],
      ['errors', 'one#1'],
      ['play', 'one#1'],
    ])
      expect(lab.run(...args).err).not.toMatch(/no run folder|#1.*(not|no )/i);
    expect(lab.run('train', '--resume', 'one#9').err).toContain('one has no run with the number 9');
    expect(lab.run('study', 'one#1', 'one#2').out).not.toContain('#9');
  });
});
