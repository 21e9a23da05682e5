import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readInputs } from '../../src/runs/inputs';
import { runPaths } from '../../src/runs/layout';
import { Lab } from './lab';

const lab = new Lab({ training: { epochs: 1 }, adapter: { method: 'lora' } });
afterAll(() => lab.remove());
const out = lab.path('runs');
const done = lab.run('train', lab.experiment, '--out', out);
const [run] = lab.runs(out);
const [model, train] = [lab.path('model.onnx'), lab.path('train.jsonl')];
const originals = [model, train].map((path) => [path, readFileSync(path)] as const);
const recorded = readFileSync(runPaths(run).inputs);
afterEach(() => {
  for (const [path, bytes] of originals) writeFileSync(path, bytes);
  writeFileSync(runPaths(run).inputs, recorded);
});

/** Same length, with different weights that are still finite. */
function changeModel(): void {
  const bytes = Buffer.from(originals[0][1]);
  const middle = bytes.length >> 1;
  for (let i = middle; i < middle + 256; i++) bytes[i] ^= 1;
  writeFileSync(model, bytes);
}

const CHANGED = /warning: The model model\.onnx has changed since the run was trained\./;
const UNKNOWN = 'The files that the run was trained on were not recorded';

describe('aurora errors', () => {
  it('reports changed weights beside its numbers and predicts again once the model is restored', () => {
    expect([done.code, done.err]).toEqual([0, expect.anything()]);
    changeModel();
    const changed = lab.run('errors', run);
    expect([changed.code, changed.out]).toEqual([0, expect.stringMatching(CHANGED)]);
    expect(changed.out).toContain('These metrics are not those of the trained model.');
    writeFileSync(model, originals[0][1]);
    const restored = lab.run('errors', run);
    expect([restored.code, restored.out]).toEqual([0, expect.not.stringContaining('warning:')]);
    expect(restored.err).toContain('Predicting');
  });

  it('reports that the inputs were not recorded', () => {
    rmSync(runPaths(run).inputs);
    const r = lab.run('errors', run, '--again');
    expect([r.code, r.out]).toEqual([0, expect.stringContaining(UNKNOWN)]);
  });
});

describe('aurora export', () => {
  const exported = (name: string) => {
    const folder = lab.path(name);
    const r = lab.run('export', run, '--as', 'adapter', '--out', folder);
    expect([r.code, r.err]).toEqual([0, expect.anything()]);
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    const record = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as { inputs?: unknown };
    return { ...r, card, record };
  };

  it('does not write "as trained" beside measurements with changed weights', () => {
    changeModel();
    const { out, card, record } = exported('changed');
    expect(out).toMatch(CHANGED);
    for (const text of [out, card]) {
      expect(text).not.toMatch(/\bas trained\b/);
      expect(text).toContain('on changed files');
      expect(text).toMatch(/These files and \w+ are not /);
    }
    expect(card).toMatch(/- Warning: The model model\.onnx has changed since the run was trained\./);
    expect(card).not.toContain(lab.folder);
    expect(record.inputs).toMatchObject({ changed: [expect.stringContaining('model.onnx')] });
  });

  it('reports nothing if the files are unchanged', () => {
    const { out, card, record } = exported('same');
    expect(out).toContain('as trained');
    expect(card).toContain('as trained');
    expect(record.inputs).toBeUndefined();
  });

  it('reports that the inputs were not recorded', () => {
    rmSync(runPaths(run).inputs);
    const { out, card } = exported('unknown');
    for (const text of [out, card]) expect(text).toContain(UNKNOWN);
    expect(out).toContain('as trained');
  });
});

describe('an imported run', () => {
  it('records the inputs of its evaluation and is compared with them', () => {
    const adapter = lab.path('adapter-to-import');
    expect(lab.run('export', run, '--as', 'adapter', '--out', adapter).code).toBe(0);
    const into = lab.path('imported');
    const made = lab.run('import', adapter, '--experiment', lab.experiment, '--out', into);
    expect(made.code, made.err).toBe(0);
    for (const text of [UNKNOWN, CHANGED]) expect(made.err).not.toMatch(text);
    const [imported] = lab.runs(into);
    const hashes = (folder: string) => readInputs(folder)!.files.map((f) => [f.role, f.path, f.sha256]);
    expect(hashes(imported)).toEqual(hashes(run));
    const errors = lab.run('errors', imported);
    expect([errors.code, errors.out]).toEqual([0, expect.not.stringContaining(UNKNOWN)]);
    changeModel();
    const changed = lab.run('errors', imported, '--again');
    expect([changed.code, changed.out]).toEqual([0, expect.stringMatching(CHANGED)]);
    expect(lab.run('train', '--resume', imported).code).toBe(25);
  });
});

describe('aurora study', () => {
  it('reports runs trained on different files and files that have changed since', () => {
    writeFileSync(train, originals[1][1].toString('utf8').split('\n').slice(1).join('\n'));
    const other = lab.run('train', lab.experiment, '--out', out, '--set', 'training.seed=8');
    expect(other.code).toBe(0);
    const both = lab.run('study', out);
    expect([both.code, both.err]).toEqual([0, expect.anything()]);
    const words = both.out.replace(/\s+/g, ' ');
    expect(words).toContain(`Not all runs were trained on the same version of ${train}`);
    expect(words).toContain('These files have changed since runs were trained on them');
  });

  it('measures nothing with changed weights', () => {
    changeModel();
    const r = lab.run('study', run, '--measure');
    expect([r.code, r.err]).toEqual([
      0,
      expect.stringMatching(/cannot be measured as it was trained\. The model/),
    ]);
  });
});
