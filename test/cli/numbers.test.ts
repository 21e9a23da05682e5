import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluated, finished, makeRun, spec, started } from '../unit/extension/run-maker';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

/** A command in the lab's folder. */
function run(...args: string[]): { code: number | null; out: string; err: string } {
  const r = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', cwd: lab.folder });
  return { code: r.status, out: r.stdout, err: r.stderr };
}

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
    const r = run('runs', name, '--json', '--columns', 'number');
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
      ['export', '--as', 'onnx-dynamic'],
      ['publish'],
      ['errors'],
      ['play'],
      ['study'],
      ['train', '--resume'],
      ['train', '--at', '0', '--fork'],
    ])
      expect(run(...args, 'one#9').err.replace(/\s+/g, ' '), args[0]).toContain(
        'one has no run with the number 9',
      );
    const exported = run('export', 'one#1', '--as', 'tensorboard', '--json');
    expect(JSON.parse(exported.out)).toMatchObject({ kind: 'events' });
    expect(existsSync(join(runs[0], 'tensorboard'))).toBe(true);
  });
});
