import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { TaskOptions } from '../../src/engine/stepper';
import { agrees } from './agrees';
import { fixture } from './files';

/** Fused forms of reference models, whose cases hold for them too (test/fixtures/fused/make.py). */
const FORMS = [
  ['bert', 'bert-optimized'],
  ['bert', 'bert-apart'],
  ['llama', 'llama-grouped'],
  ['llama', 'llama-cached'],
  ['llama', 'llama-merged'],
  ['vit', 'vit-optimized'],
  ['more/albert', 'albert-optimized'],
] as const;
const TFJS: TaskOptions = { place: { engine: 'tfjs', device: 'wasm' } };

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'aurora-fused-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A case over a plain model, with a fused form in its place. */
function onForm(plain: string, form: string): string {
  copyFileSync(fixture(`../fused/${form}.onnx`), join(folder, `${form}.onnx`));
  const path = join(folder, `${form}.json`);
  const answers = plain.startsWith('more/') ? plain : `${plain}-aurora`;
  const text = readFileSync(fixture(`${answers}.json`), 'utf8');
  writeFileSync(path, text.replace(`"${basename(plain)}.onnx"`, `"${form}.onnx"`));
  return path;
}

describe.each([
  ['ONNX Runtime', {}],
  ['TensorFlow.js', TFJS],
] as const)('fused ONNX files agree with PyTorch on %s', (_, options) => {
  it('bert-fused', () => agrees('../fused/bert-fused-aurora.json', options));

  it.each(FORMS)('%s as %s', (plain, form) => agrees(onForm(plain, form), options));
});
