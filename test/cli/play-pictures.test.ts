import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/data/images/decode';
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
