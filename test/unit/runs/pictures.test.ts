import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePictures, type RunPictures } from '../../../src/protocol/run-files/pictures';
import { runPaths } from '../../../src/runs/layout';
import { picturesIndex, readPictures } from '../../../src/runs/samples-and-pictures';

const WHOLE: RunPictures = {
  version: 1,
  width: 512,
  height: 384,
  sampler: 'ddim',
  steps: 25,
  guidance: 7.5,
  negativePrompt: 'blurry',
  prompts: [
    { text: 'a photo of sks dog', seed: 3 },
    { text: 'sks dog in the snow', seed: 4 },
  ],
  base: ['base-0.png', 'base-1.png'],
  evaluations: [
    { step: 0, files: [] },
    { step: 100, files: ['step-000100-0.png', 'step-000100-1.png'] },
  ],
};

describe('the pictures of a run', () => {
  it('are read as they were written, also when some are still to be drawn', () => {
    expect(parsePictures(WHOLE)).toEqual(WHOLE);
    const begun = { ...WHOLE, negativePrompt: undefined, base: ['base-0.png'], evaluations: [] };
    expect(parsePictures(begun)).toEqual(begun);
  });

  it.each([
    '../secret.png',
    'a/b.png',
    'a\\b.png',
    'C:x.png',
    '.hidden.png',
    'base-0.svg',
    'base-0.png\n',
    '',
    `${'a'.repeat(200)}.png`,
    3,
    null,
  ])('are refused with the file name %j', (name) => {
    expect(parsePictures({ ...WHOLE, base: [name] })).toBeUndefined();
    expect(parsePictures({ ...WHOLE, evaluations: [{ step: 1, files: [name] }] })).toBeUndefined();
  });

  it.each([
    { version: 2 },
    { width: 0 },
    { height: 1e6 },
    { sampler: 'magic' },
    { steps: -1 },
    { guidance: null },
    { negativePrompt: 3 },
    { prompts: [{ text: 'x' }] },
    { prompts: [null] },
    { prompts: Array(1000).fill({ text: 'x', seed: 0 }) },
    { base: ['a.png', 'b.png', 'c.png'] },
    { evaluations: [{ step: 1.5, files: [] }] },
    { evaluations: [null] },
    { evaluations: 'none' },
  ])('are refused with %j', (wrong) => expect(parsePictures({ ...WHOLE, ...wrong })).toBeUndefined());

  it.each([null, 'x', [], 3])('are refused if the index is %j', (value) =>
    expect(parsePictures(value)).toBeUndefined(),
  );

  it('are none without an index, and none with a damaged one', () => {
    const run = mkdtempSync(join(tmpdir(), 'aurora-pictures-'));
    expect(readPictures(run)).toBeUndefined();
    mkdirSync(runPaths(run).pictures);
    writeFileSync(picturesIndex(run), JSON.stringify(WHOLE));
    expect(readPictures(run)).toEqual(WHOLE);
    writeFileSync(picturesIndex(run), JSON.stringify(WHOLE).slice(0, 100));
    expect(readPictures(run)).toBeUndefined();
  });
});
