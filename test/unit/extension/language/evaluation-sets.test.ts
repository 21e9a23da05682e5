import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hoverAt } from '../../../../src/extension/language/hover-text';
import { suggestionsAt } from '../../../../src/extension/language/suggestions';
import { analysisOf, apply, covered, FIXTURE, makeFolder } from './lab';

const CSV = 'text,label\n"a, b",x\nc,y\nd,x\n';
const lab = (files: Record<string, string>) =>
  makeFolder({
    'm/model.onnx': readFileSync(FIXTURE),
    'm/tokenizer.json': '{}',
    'train.csv': CSV,
    ...files,
  });
const experiment = (more: string) =>
  `{\n  "model": { "path": "m/model.onnx" },\n  "data": { "train": "train.csv"${more} },\n  "adapter": {}\n}\n`;

describe('test and evaluation sets', () => {
  const SETS = `, "test": "test.csv",
    "evaluations": { "a": { "path": "a.csv", "textColumn": "sentence" }, "b": { "path": "b.csv" } }`;
  const files = { 'test.csv': CSV, 'a.csv': 'sentence,label\nd,x\n', 'b.csv': CSV };

  it('are checked like the validation file, each with its own columns', async () => {
    expect((await analysisOf(lab(files), experiment(SETS))).findings).toEqual([]);
    const folder = lab({ 'test.csv': 'text,class\nd,x\n', 'a.csv': CSV, 'b.csv.gz': '' });
    const text = experiment(SETS);
    const { findings } = await analysisOf(folder, text);
    expect(findings.map((f) => [f.code, covered(text, f)])).toEqual([
      ['file-missing', '"b.csv"'],
      ['column-missing', '"test.csv"'],
      ['column-missing', '"sentence"'],
    ]);
    expect(findings[1].message).toBe(
      'test.csv has no column "label" (data.labelColumn); it has "text", "class".',
    );
    expect(findings[2].message).toBe(
      'a.csv has no column "sentence" (data.evaluations.a.textColumn); it has "text", "label".',
    );
    const fixed = apply(
      text,
      findings[2].fixes.find((f) => f.title.includes('"text"'))!,
    );
    expect(fixed).toContain('{ "path": "a.csv", "textColumn": "text" }');
  });

  it('get a column of their own where that of the experiment is missing', async () => {
    const text = experiment(SETS);
    const { findings } = await analysisOf(lab({ ...files, 'b.csv': 'sentence,label\nd,x\n' }), text);
    expect(findings.map((f) => covered(text, f))).toEqual(['"b.csv"']);
    expect(apply(text, findings[0].fixes[0])).toContain('{ "path": "b.csv", "textColumn": "sentence" }');
  });

  it('are completed with files, and with the columns of their own file', async () => {
    const folder = lab(files);
    const text = experiment(SETS);
    const analysis = await analysisOf(folder, text);
    const at = (value: string) =>
      suggestionsAt(analysis, text.indexOf(value) + 1, [join(folder, 'b.csv')])?.suggestions.map(
        (s) => s.value,
      );
    expect(at('"sentence"')).toEqual(['sentence', 'label']);
    expect(at('"a.csv"')).toEqual(['b.csv']);
    expect(at('"test.csv"')).toEqual(['b.csv']);
    expect(hoverAt(analysis, text.indexOf('"sentence"') + 1)?.lines.join()).toContain('1 different values');
  });
});
