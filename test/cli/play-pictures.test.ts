import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { decodeImage } from '../../src/data/images/decode-image';
import { png } from '../png';
import { Lab } from './lab';

const PIPELINE = resolve('test/fixtures/diffusers/sd');
const lab = new Lab();
afterAll(() => lab.remove());

const play = (typed: string, ...args: string[]) =>
  lab.type(typed, 'play', '--model', PIPELINE, '--steps', '2', '--size', '32x24', ...args);

describe('aurora play of a pipeline in a terminal', () => {
  it('writes a PNG file for each prompt, and overwrites none', async () => {
    const folder = lab.path('pictures');
    mkdirSync(folder);
    const first = play('a photo of a dog\na cat\n', '--out', folder);
    expect([first.code, first.err]).toEqual([
      0,
      expect.stringContaining('sd: draws pictures from a prompt.'),
    ]);
    expect(first.out).toMatch(/^\S*picture-1\.png {3}sd, 32 × 24, [\d.]+ m?s\n\S*picture-2\.png {3}/);
    const before = readFileSync(`${folder}/picture-1.png`);
    expect(await decodeImage(before, 'it')).toMatchObject({ width: 32, height: 24 });
    const second = play('a photo of a dog\n', '--out', folder, '--seed', '5', '--negative', 'a cat');
    expect(second.code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['picture-1.png', 'picture-2.png', 'picture-3.png']);
    expect(readFileSync(`${folder}/picture-1.png`)).toEqual(before);
    expect(readFileSync(`${folder}/picture-3.png`)).not.toEqual(before);
  });

  it('draws the same file of the same prompt and settings', () => {
    const files = ['a', 'b'].map((name) => {
      expect(play('a dog\n', '--out', lab.path(name), '--sampler', 'euler', '--guidance', '2').code).toBe(0);
      return readFileSync(lab.path(`${name}/picture-1.png`));
    });
    expect(files[1]).toEqual(files[0]);
  });

  it('reports what cannot be drawn and takes the next prompt', () => {
    const { code, out, err } = lab.type('a dog\n', 'play', '--model', PIPELINE, '--steps', '1000');
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain('A picture cannot be drawn in 1000 steps');
  });

  it.each([
    ['--size', '30x30'],
    ['--size', 'large'],
    ['--sampler', 'heun'],
    ['--steps', '0'],
    ['--guidance', 'much'],
  ])('refuses %s %s', (option, value) => {
    const { code, err } = play('', option, value);
    expect([code, err]).toEqual([2, expect.stringContaining('--steps takes a whole number')]);
  });
});

describe('aurora play of a run on a pipeline', () => {
  it('draws with and without the adapter what the run itself drew in training', () => {
    for (let i = 0; i < 4; i++)
      lab.write(
        `images/${i}.png`,
        png(40, 36, (x, y) => [6 * x, 7 * y, 60 * i]),
      );
    lab.write(
      'pictures.aurora.json',
      JSON.stringify({
        model: { path: PIPELINE },
        task: { type: 'subject-generation', instancePrompt: 'a photo of sks dog', resolution: 32 },
        data: { train: 'images', validationFraction: 0.25 },
        adapter: { method: 'lora', rank: 2 },
        training: {
          epochs: 2,
          batchSize: 1,
          learningRate: 0.05,
          pictures: { prompts: ['a dog'], every: 3, steps: 4, guidance: 3, sampler: 'euler', seed: 9 },
        },
      }),
    );
    const { code } = lab.run('train', lab.path('pictures.aurora.json'), '--out', lab.path('runs'));
    // Random weights learn little: the result may be worse than zero everywhere.
    expect([EXIT.ok, EXIT.baseline]).toContain(code);
    const [run] = lab.runs(lab.path('runs'));
    const out = lab.path('drawn');
    const played = lab.type('a dog\n', 'play', run!, '--at', 'last', '--out', out, '--seed', '9');
    expect([played.code, played.out.trim().split('\n').length]).toEqual([0, 2]);
    const file = (path: string) => readFileSync(join(run!, 'pictures', path));
    expect(readFileSync(`${out}/picture-1.png`)).toEqual(file('step-000006-0.png'));
    expect(readFileSync(`${out}/picture-1-base.png`)).toEqual(file('base-0.png'));
    expect(file('step-000006-0.png')).not.toEqual(file('base-0.png'));
    // A prompt of its validation data.
    const request = JSON.stringify({ kind: 'sample', request: 1, subject: '1' });
    const lines = lab.type(`${request}\n`, 'play', '--json', run!).out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { kind: 'loading' },
      {
        kind: 'loaded',
        base: 'model',
        drawing: { width: 32, height: 32, steps: 4, guidance: 3, sampler: 'euler' },
      },
      { kind: 'sample', text: 'a photo of sks dog' },
    ]);
  });
});
