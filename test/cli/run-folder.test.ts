import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { effectiveEvents, parseJournal } from '../../src/runs/journal/journal-reader';
import { createRun, runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { readStatus } from '../../src/runs/status';
import { Lab } from './lab';

const lab = new Lab({ training: { epochs: 1 } });
afterAll(() => lab.remove());
const runs = lab.path('.aurora/runs/tiny');
const events = (run: string) => effectiveEvents(parseJournal(readFileSync(runPaths(run).events), run));

describe('aurora train --run', () => {
  it('trains into an existing folder, with plain output', () => {
    const run = createRun(runs);
    const r = lab.run('train', lab.experiment, '--run', run);
    expect(r.code).toBe(0);
    expect(readRun(run).status?.state).toBe('finished');
    expect(readdirSync(runs)).toHaveLength(1);
    expect(r.err).toMatch(/^step 12\/12 \(100%\) · loss \d\.\d{4} · lr .+ samples\/s · 0 s left$/m);
    expect(r.err).not.toMatch(/[\r█░]/);
    expect(r.err).not.toContain('\u001b');
    // Two steps per second do not give two lines.
    expect(r.err.match(/^step \d+\/12 /gm)!.length).toBeLessThan(4);
  });

  it('keeps the text of the experiment file, and trains the text that is in the folder', () => {
    const [first] = lab.runs(runs);
    const text = lab.read('tiny.aurora.json');
    expect(readFileSync(runPaths(first).source, 'utf8')).toBe(text);
    const run = createRun(lab.path('queued'));
    writeFileSync(runPaths(run).source, `// As queued.\n${text.replace('"seed": 7', '"seed": 8')}`);
    const args = ['--set', 'training.maxSteps=1'];
    expect(lab.run('train', lab.experiment, '--run', run, ...args).code).toBe(0);
    expect(readRun(run).spec.training).toMatchObject({ seed: 8, maxSteps: 1 });
    expect(readFileSync(runPaths(run).source, 'utf8')).toMatch(/^\/\/ As queued/);
  });

  it.each([
    ['experiment', ['--set', 'adapter.rank=0'], 3, false],
    ['model', ['--set', 'model.path=none.onnx', '--set', 'model.tokenizer=tokenizer.json'], 4, true],
    ['data', ['--set', 'data.train=none.jsonl'], 12, true],
    ['targets', ['--set', 'adapter.targetModules=["nowhere"]'], 10, true],
    ['usage', ['--threads', 'many'], 2, false],
  ])('records a %s error in the folder', (kind, args, code, hasSpec) => {
    const run = createRun(lab.path('failed'));
    const r = lab.run('train', lab.experiment, '--run', run, ...args);
    expect(r.code).toBe(code);
    expect(readStatus(run)).toMatchObject({ state: 'failed', step: 0 });
    const all = events(run);
    expect(all.filter((e) => e.kind === 'failed')).toEqual([
      expect.objectContaining({
        kind: 'failed',
        step: 0,
        error: kind,
        message: expect.any(String) as unknown,
      }),
    ]);
    expect(r.err).toContain((all.at(-1) as { message: string }).message.split('\n')[0]);
    expect(existsSync(runPaths(run).spec)).toBe(hasSpec);
  });

  it('rejects a folder that is not a new run and does not touch it', () => {
    const [run] = lab.runs(runs);
    const before = readFileSync(runPaths(run).events);
    const again = lab.run('train', lab.experiment, '--run', run);
    expect([again.code, again.err]).toEqual([20, expect.stringContaining('already has a journal')]);
    expect(readFileSync(runPaths(run).events)).toEqual(before);
    const none = lab.run('train', lab.experiment, '--run', join(runs, 'none'));
    expect([none.code, none.err]).toEqual([20, expect.stringContaining('There is no run folder')]);
    expect(existsSync(join(runs, 'none'))).toBe(false);
    mkdirSync(lab.path('other'), { recursive: true });
    expect(lab.run('train', lab.experiment, '--run', lab.path('other'), '--out', runs).code).toBe(2);
  });
});
