import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import { thisProcess } from '../../../src/files/processes';
import { quantizedCopy } from '../../../src/quantize/cached';
import { Lab } from '../../cli/lab';

const lab = new Lab();
afterAll(() => lab.remove());

it('a quantized copy that a process uses is kept, however many others are newer', () => {
  const folder = lab.path('quantized');
  const own = dirname(quantizedCopy(modelSource(lab.path('model.onnx')), 8, folder));
  const unused = Array.from({ length: 9 }, (_, i) => join(folder, String(i).repeat(64)));
  for (const path of unused) mkdirSync(path);
  // The mark of a process that was killed.
  mkdirSync(join(unused[0], 'in-use'));
  writeFileSync(join(unused[0], 'in-use/1'), JSON.stringify({ ...thisProcess(), pid: 2 ** 22 + 1 }));
  const hours = (n: number) => new Date(Date.now() - n * 3_600_000);
  for (const [i, path] of [own, ...unused].entries()) utimesSync(path, hours(30 - i), hours(30 - i));
  const made = dirname(quantizedCopy(modelSource(lab.path('model.onnx')), 4, folder));
  expect(readdirSync(folder).sort()).toEqual(
    [own, made, ...unused.slice(2)].map((path) => basename(path)).sort(),
  );
});
