import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { runPaths } from '../../src/runs/layout';
import { CLI, Lab } from './lab';

const lab = new Lab({ training: { maxSteps: 4 } });
afterAll(() => lab.remove());

/** Its time doubles with each x that no y follows. */
const SLOW = { type: 'Replace', pattern: { Regex: '(x+x+)+y' }, content: ' ' };

/** Distinct texts, each with a word of as many x. */
const write = (rows: number, x: number) =>
  writeFileSync(
    lab.path('train.csv'),
    ['text,label', ...Array.from({ length: rows }, (_, i) => `${i} cat ${'x'.repeat(x)},${i % 2}`)].join(
      '\n',
    ),
  );

describe('a tokenizer with a slow regular expression', () => {
  beforeAll(() => {
    const path = lab.path('tokenizer.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), normalizer: SLOW }));
    const experiment = JSON.parse(readFileSync(lab.experiment, 'utf8'));
    experiment.data = { train: 'train.csv', textColumn: 'text', labelColumn: 'label' };
    writeFileSync(lab.experiment, JSON.stringify(experiment));
  });

  it('can be stopped between two texts, and nothing has been trained', async () => {
    // Minutes of work, of which each text takes milliseconds.
    write(50_000, 18);
    const out = lab.fresh('stopped');
    const trainer = spawn(process.execPath, [CLI, 'train', lab.experiment, '--out', out], {
      stdio: 'ignore',
    });
    const ended = once(trainer, 'exit');
    const tokenizing = () =>
      existsSync(out) &&
      lab.runs(out).some((run) => {
        const { status } = runPaths(run);
        return existsSync(status) && readFileSync(status, 'utf8').includes('"tokenizing"');
      });
    while (!tokenizing() && trainer.exitCode === null) await wait(20);
    trainer.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const { events, status } = readRun(lab.runs(out)[0]);
    expect(status).toMatchObject({ state: 'stopped', step: 0 });
    expect(events.filter((e) => e.kind === 'checkpoint')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ kind: 'stopped', reason: 'requested' });
  });

  it('is refused by name where one text takes too long', () => {
    write(8, 60);
    const r = lab.run('train', lab.experiment, '--out', lab.fresh('refused'));
    expect(r.code).not.toBe(0);
    expect(r.err).toMatch(/tokenizer\.json.*regular expression "\(x\+x\+\)\+y" takes more than \d+ ms/s);
  });
});
