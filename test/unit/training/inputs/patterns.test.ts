import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedInputs, hashInput, type InputFile, type NamedInput } from '../../../../src/runs/inputs';
import type { SweepRecord, TrialRecord } from '../../../../src/runs/sweep/record';
import { namedInputs } from '../../../../src/training/inputs/seen';
import { trialInputs } from '../../../../src/sweeps/sweep-inputs';
import { rejection, temporaryFolder } from '../../data/support';
import { spec } from '../../extension/run-maker';

const folder = temporaryFolder();
const train = join(folder.path, 'train-*.csv');
const write = (n: number, text = '') => folder.write(`train-${n}.csv`, `text,label\na${n},x\n${text}`);
[10, 2].forEach((n) => write(n));
const test = folder.write('train-2.csv', 'text,label\nb,x\n');

const experiment = { ...spec, data: { ...spec.data, train, test } };
const dataPaths = (): NamedInput[] => namedInputs(experiment).filter(({ path }) => path.endsWith('.csv'));
const hashed = async (): Promise<InputFile[]> => Promise.all(dataPaths().map((file) => hashInput(file)));
const words = (changes: readonly { path: string; before: string | null; after: string | null }[]) =>
  changes.map(({ path, before, after }) => `${basename(path)} ${before ? 1 : 0}${after ? 1 : 0}`);

describe('the files of a pattern are inputs of a run', () => {
  it('each with its role, the first of those that it has', () => {
    expect(dataPaths()).toEqual([
      { role: 'train', path: join(folder.path, 'train-2.csv'), pattern: train },
      { role: 'train', path: join(folder.path, 'train-10.csv'), pattern: train },
    ]);
    const none = { ...experiment, data: { ...experiment.data, train: join(folder.path, 'none-*.csv') } };
    expect(namedInputs(none)).toContainEqual({ role: 'train', path: none.data.train });
  });

  it('and one that is added, removed or written is a change', async () => {
    const files = await hashed();
    expect(await changedInputs(files)).toEqual([]);
    write(3);
    expect(words(await changedInputs(files))).toEqual(['train-3.csv 01']);
    expect(words(await changedInputs(files, { largest: 1 }))).toEqual(['train-3.csv 00']);
    rmSync(join(folder.path, 'train-10.csv'));
    writeFileSync(test, 'text,label\nc,y\n');
    expect(words(await changedInputs(files))).toEqual([
      'train-2.csv 11',
      'train-10.csv 10',
      'train-3.csv 01',
    ]);
    rmSync(join(folder.path, 'train-3.csv'));
    [10, 2].forEach((n) => write(n));
  });

  it('of a sweep, which no trial may read otherwise than those before', async () => {
    write(2, 'more,x\n');
    const run = folder.write('run', '');
    const first: TrialRecord = { number: 1, run: basename(run) } as TrialRecord;
    const record = { trials: [first] } as SweepRecord;
    const start = () =>
      trialInputs(record, { number: 2 } as TrialRecord, experiment, { runs: folder.path, accept: false });
    await start();
    await start();
    write(3);
    expect(await rejection('inputs', start())).toContain('train-3.csv did not exist before.');
    rmSync(join(folder.path, 'train-3.csv'));
    rmSync(join(folder.path, 'train-10.csv'));
    expect(await rejection('inputs', start())).toContain('train-10.csv are missing.');
  });
});
