import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { summarize } from '../../../../src/graph/summary';
import {
  analyze,
  firstModelState,
  modelPathOf,
  type Analysis,
} from '../../../../src/extension/language/analysis';
import { readDataHead } from '../../../../src/extension/language/data-head';
import type { Finding, Fix } from '../../../../src/extension/language/finding';
import { ExperimentText } from '../../../../src/runs/experiment/experiment-text';
import { checkWithTrials } from '../../../../src/runs/experiment/load';

export const FIXTURE = join(import.meta.dirname, '../../../fixtures/reference/bert.onnx');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with these files that is removed after the test. */
export function makeFolder(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-editor-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** The analysis of a text as x.aurora.json in this folder, with its model really read. */
export async function analysisOf(folder: string, text: string, known: string[] = []): Promise<Analysis> {
  const doc = new ExperimentText(join(folder, 'x.aurora.json'), text);
  const path = await modelPathOf(doc);
  const there = await firstModelState(path, undefined);
  const model =
    there.state === 'reading'
      ? { state: 'known' as const, summary: summarize(loadModelFrom(modelSource(path!), 'structure')) }
      : there;
  return analyze(checkWithTrials(doc), { model, unusable: [], known, head: readDataHead });
}

export const apply = (text: string, { offset, length, text: by }: Fix): string =>
  text.slice(0, offset) + by + text.slice(offset + length);

export const covered = (text: string, { offset, length }: Finding): string =>
  text.slice(offset, offset + length);

/** The rows of `lab`. */
export const CSV = 'text,label\n"a, b",x\nc,y\nd,x\n';
/** A folder with a model and data, and more files. */
export const lab = (files: Record<string, string | Uint8Array> = {}) =>
  makeFolder({
    'm/model.onnx': readFileSync(FIXTURE),
    'm/tokenizer.json': '{}',
    'train.csv': CSV,
    ...files,
  });
/** The text of an experiment on `lab`. */
export const experiment = (adapter = '{}', more = '') =>
  `{\n  "model": { "path": "m/model.onnx" },\n  "data": { "train": "train.csv"${more} },\n  "adapter": ${adapter}\n}\n`;
