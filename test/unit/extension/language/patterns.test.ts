import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeadCache } from '../../../../src/extension/language/data-head';
import { suggestionsAt } from '../../../../src/extension/language/suggestions';
import { defaultAdapter } from '../../../../src/recipes/draft';
import { draftName } from '../../../../src/extension/wizard/draft';
import { analysisOf, makeFolder } from './lab';

const CSV = 'text,label\na,x\nb,y\n';
const text = (train: string, more = '') =>
  `{ "model": { "path": "m.onnx" }, "data": { "train": "${train}"${more} }, "adapter": {} }`;
const about = async (folder: string, content: string, known: string[] = []) => {
  const analysis = await analysisOf(folder, content, known);
  return { analysis, findings: analysis.findings.filter(({ code }) => /^(file|column)/.test(code)) };
};

describe('a pattern in an experiment', () => {
  it('has the columns of its first file, and is no missing file', async () => {
    const folder = makeFolder({ 'd/train-10.csv': 'other\n', 'd/train-2.csv': CSV });
    const { analysis, findings } = await about(folder, text('d/train-*.csv', ', "textColumn": "texts"'));
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      ['file-missing', expect.stringContaining('m.onnx')],
      ['column-missing', expect.stringContaining('d/train-*.csv has no column "texts"')],
    ]);
    expect(analysis.heads.train).toMatchObject({ rows: 2, whole: false });
  });

  it('that matches nothing, or lacks a file of a numbered set, is reported', async () => {
    const folder = makeFolder({ 'train-00000-of-00002.csv': CSV });
    const messages = async (train: string) =>
      (await about(folder, text(train))).findings.map(({ message }) => message);
    expect(await messages('none-*.csv')).toContain(`No file in ${folder} matches "none-*.csv".`);
    expect((await messages('train-*.csv')).join()).toContain('has no train-00001-of-00002.csv');
  });

  it('is suggested for a numbered set, and names a new experiment', async () => {
    const folder = makeFolder({ 'train-00000-of-00002.csv': CSV });
    const known = [0, 1].map((n) => join(folder, `train-0000${n}-of-00002.csv`));
    const content = text('');
    const { analysis } = await about(folder, content);
    const at = content.indexOf('"train": "') + '"train": "'.length;
    expect(suggestionsAt(analysis, at, known)?.suggestions.map(({ value }) => value)).toEqual([
      'train-*-of-00002.csv',
      'train-00000-of-00002.csv',
      'train-00001-of-00002.csv',
    ]);
    const train = '/x/rte/train-*-of-00002.csv';
    expect(draftName({ train, adapter: defaultAdapter('lora') })).toBe('rte-lora');
  });

  it('is read again when its first file or their number changes', async () => {
    const folder = makeFolder({ 'train-1.csv': CSV });
    const cache = new HeadCache();
    const columns = async () => (await cache.read(join(folder, '*.csv')))?.columns.map(({ name }) => name);
    expect(await columns()).toEqual(['text', 'label']);
    writeFileSync(join(folder, 'train-0.csv'), 'first,second\na,b\n');
    expect(await columns()).toEqual(['first', 'second']);
  });
});
