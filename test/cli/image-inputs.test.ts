import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs } from '../../src/runs/inputs';
import { runPaths } from '../../src/runs/layout';
import { png } from '../png';
import { readRun } from '../read-run';
import { Lab } from './lab';

const picture = (i: number): Buffer =>
  png(30, 28, (x, y) => [(40 * i) % 255, (x * (y + i)) % 255, 200 - 5 * i]);

const lab = new Lab({
  model: { path: 'model.onnx', maxLength: undefined },
  task: { type: 'image-classification', head: 'linear', pooling: undefined },
  training: { epochs: 2, batchSize: 4, evaluateEvery: 4, checkpointEvery: 2 },
});
afterAll(() => lab.remove());
copyFileSync(resolve('test/fixtures/reference/vit.onnx'), lab.path('model.onnx'));
lab.write(
  'preprocessor_config.json',
  JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: { height: 24, width: 24 } }),
);
const rows = Array.from({ length: 24 }, (_, i) => {
  lab.write(`pictures/${i}.png`, picture(i));
  return JSON.stringify({ image: `pictures/${i}.png`, label: i % 2 ? 'cat' : 'none' });
});
lab.write('train.jsonl', rows.slice(0, 16).join('\n'));
lab.write('validation.jsonl', rows.slice(16).join('\n'));

const image = (i: number) => lab.path(`pictures/${i}.png`);

describe('a run on images that a table names', () => {
  const stopped = lab.run('train', lab.experiment, '--out', lab.path('out'), '--pause-at', 'step:4');
  const [run] = lab.runs(lab.path('out'));
  const before = readFileSync(runPaths(run!).events);

  it('records them with the data that name them', () => {
    expect([stopped.code, stopped.err]).toEqual([130, expect.anything()]);
    const { files } = readInputs(run!)!;
    const counts = files.flatMap(({ role, images }) => (images ? [[role, images.files.length]] : []));
    expect(counts).toEqual([
      ['train', 16],
      ['validation', 8],
    ]);
  });

  it.each<[string, () => void, RegExp]>([
    [
      'a changed image',
      () => writeFileSync(image(3), picture(99)),
      /The image .+3\.png of the training data has changed\./,
    ],
    [
      'two swapped images',
      () => {
        renameSync(image(4), image(99));
        renameSync(image(5), image(4));
        renameSync(image(99), image(5));
      },
      /4\.png of the training data has changed\. The image .+5\.png of the training data has changed\./,
    ],
    [
      'a changed validation image',
      () => writeFileSync(image(17), picture(99)),
      /The image .+17\.png of the validation data has changed\./,
    ],
    ['a missing image', () => rmSync(image(20)), /The image .+20\.png of the validation data is missing\./],
  ])('does not resume or fork with %s, and names it', (_, change, words) => {
    change();
    for (const how of [
      ['--resume', run!],
      ['--fork', run!, '--at', '2'],
    ]) {
      const r = lab.run('train', ...how);
      expect([r.code, r.err]).toEqual([25, expect.stringMatching(words)]);
    }
    expect(readFileSync(runPaths(run!).events)).toEqual(before);
    for (let i = 0; i < 24; i++) writeFileSync(image(i), picture(i));
  });

  it('resumes with images that were only written again', () => {
    const r = lab.run('train', '--resume', run!);
    expect([[0, 27].includes(r.code!), r.err]).toEqual([true, expect.stringContaining('Resuming at step 4')]);
  });

  it('continues with changed images if they are accepted, and records which', () => {
    expect(lab.run('train', lab.experiment, '--out', lab.path('other'), '--pause-at', 'step:4').code).toBe(
      130,
    );
    const [other] = lab.runs(lab.path('other'));
    writeFileSync(image(3), picture(99));
    const r = lab.run('train', '--resume', other!, '--accept-changed-inputs');
    expect([[0, 27].includes(r.code!), r.err]).toEqual([true, expect.anything()]);
    const accepted = readRun(other!).events.filter((e) => e.kind === 'inputs-accepted');
    expect(accepted).toMatchObject([{ step: 4, files: [{ role: 'train', path: image(3), image: true }] }]);
    expect(readInputs(other!)).toMatchObject({ since: 4, earlier: [{ since: 0 }] });
    writeFileSync(image(3), picture(3));
  });

  it('says in what is measured with them that they have changed since', () => {
    writeFileSync(image(17), picture(99));
    const r = lab.run('errors', run!);
    expect(r.out).toContain(
      'warning: The image 17.png of the validation data has changed since the run was trained.',
    );
    writeFileSync(image(17), picture(17));
  });
});
