import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { budgetText } from '../../../../src/extension/language/lens-text';
import { hoverAt } from '../../../../src/extension/language/hover-text';
import { syntaxFindings } from '../../../../src/extension/language/checks/check-text';
import { suggestionsAt } from '../../../../src/extension/language/suggestions';
import { writeTwoOutputs } from '../../../two-outputs';
import { analysisOf, apply, covered, CSV, experiment, FIXTURE, lab, makeFolder } from './lab';

describe('problems in an experiment', () => {
  it('do not exist in a valid one', async () => {
    const analysis = await analysisOf(lab(), experiment());
    expect(analysis.findings).toEqual([]);
    expect(budgetText(analysis).text).toMatch(/^\$\(symbol-ruler\) [\d,]+ trainable, \d+% of LoRA r=8$/);
  });

  it.each([
    ['an empty file', '', 0, 'The file is empty'],
    ['white space alone', ' \n', 0, 'The file is empty'],
    ['comments alone', '// nothing yet\n', 0, 'The file is empty'],
    ['100,000 nested lists', `{ "a": ${'['.repeat(100_000)}`, 70, 'more than 64 levels deep'],
  ])('include %s, reported like any other mistake', async (_, text, offset, message) => {
    const analysis = await analysisOf(lab(), text);
    expect(analysis.findings).toEqual([
      {
        offset,
        length: 1,
        severity: 'error',
        code: 'not-readable',
        message: expect.stringContaining(message) as string,
        fixes: [],
      },
    ]);
    expect(hoverAt(analysis, 0)).toBeUndefined();
    expect(suggestionsAt(analysis, 0, [])).toBeUndefined();
  });

  it('include a sweep parameter that leads to a prototype, at its key', async () => {
    const text = experiment().replace(
      /\n}\n$/,
      ',\n  "sweep": { "type": "grid", "parameters": { "adapter.__proto__.rank": [1] } }\n}\n',
    );
    const { findings } = await analysisOf(lab(), text);
    expect(findings).toMatchObject([{ code: 'key-not-allowed', severity: 'error' }]);
    expect(covered(text, findings[0])).toBe('"adapter.__proto__.rank"');
  });

  it('include training.epochs where training.maxSteps is written too', async () => {
    const text = experiment().replace(/\n}\n$/, ',\n  "training": { "epochs": 3, "maxSteps": 2000 }\n}\n');
    const { findings } = await analysisOf(lab(), text);
    expect(findings).toMatchObject([{ code: 'setting-ignored', severity: 'information' }]);
    expect(covered(text, findings[0])).toBe('"epochs"');
  });

  it('include a missing file, with the nearest file as a fix', async () => {
    const text = experiment().replace('train.csv', 'trian.csv').replace('model.onnx', 'modle.onnx');
    const analysis = await analysisOf(lab(), text);
    expect(analysis.findings.map((f) => [f.code, covered(text, f)])).toEqual([
      ['file-missing', '"m/modle.onnx"'],
      ['file-missing', '"trian.csv"'],
    ]);
    expect(analysis.findings[1].message).toContain('Nearest: train.csv');
    const fixed = analysis.findings.toReversed().reduce((s, f) => apply(s, f.fixes[0]), text);
    expect((await analysisOf(lab(), fixed)).findings).toEqual([]);
    expect(budgetText(analysis).text).toContain('the model file is missing');
  });

  it('include a folder in place of a file', async () => {
    const text = experiment().replace('m/model.onnx', 'm');
    const [finding] = (await analysisOf(lab(), text)).findings;
    expect(finding).toMatchObject({ code: 'file-is-folder', severity: 'error' });
  });

  it('do not include a folder from the hub in place of a model', async () => {
    const hub = join(FIXTURE, '../../hf/bert');
    const names = ['config.json', 'model.safetensors'];
    const files = Object.fromEntries(names.map((name) => [`bert/${name}`, readFileSync(join(hub, name))]));
    const text = experiment().replace('m/model.onnx', 'bert');
    const folder = lab({ ...files, 'bert/tokenizer.json': '{}' });
    const analysis = await analysisOf(folder, text);
    expect(analysis.findings).toEqual([]);
    expect(budgetText(analysis).text).toMatch(/trainable/);
  });

  it('include a missing tokenizer, with one from the workspace as a fix', async () => {
    const folder = makeFolder({
      'm/model.onnx': readFileSync(FIXTURE),
      'train.csv': CSV,
      'tok/tokenizer.json': '{}',
    });
    const text = experiment();
    const known = [join(folder, 'tok', 'tokenizer.json')];
    const { findings } = await analysisOf(folder, text, known);
    expect(findings).toMatchObject([{ code: 'tokenizer-missing', severity: 'error' }]);
    const fixed = apply(text, findings[0].fixes[0]);
    expect(fixed).toContain('"tokenizer": "tok/tokenizer.json"');
    expect((await analysisOf(folder, fixed, known)).findings).toEqual([]);
    writeFileSync(join(folder, 'm/vocab.txt'), '');
    expect((await analysisOf(folder, text, known)).findings).toEqual([]);
  });

  it('accept a folder of images, and ask for the preprocessing of their model', async () => {
    const folder = makeFolder({
      'm/model.onnx': readFileSync(FIXTURE),
      'train/cats/a.png': '',
      'other/preprocessor_config.json': '{}',
    });
    const text = experiment()
      .replace('train.csv', 'train')
      .replace('{', '{ "task": { "type": "image-classification" },');
    const known = [join(folder, 'other', 'preprocessor_config.json')];
    const { findings } = await analysisOf(folder, text, known);
    expect(findings).toMatchObject([{ code: 'preprocessor-missing', severity: 'error' }]);
    const fixed = apply(text, findings[0].fixes[0]);
    expect(fixed).toContain('"preprocessor": "other/preprocessor_config.json"');
    expect((await analysisOf(folder, fixed, known)).findings).toEqual([]);
  });

  it('include a target that matches nothing, alone or among others', async () => {
    const text = experiment('{ "targetModules": ["query", "vlaue"] }');
    const { findings } = await analysisOf(lab(), text);
    expect(findings).toMatchObject([{ code: 'target-unmatched', severity: 'warning' }]);
    expect(covered(text, findings[0])).toBe('"vlaue"');
    expect(findings[0].fixes[0]).toMatchObject({ title: 'Replace with "value"', preferred: true });
    expect((await analysisOf(lab(), apply(text, findings[0].fixes[0]))).findings).toEqual([]);

    const none = await analysisOf(lab(), experiment('{ "targetModules": ["qeury"] }'));
    expect(none.findings).toMatchObject([{ code: 'target-unmatched', severity: 'error' }]);
    expect(budgetText(none).text).toMatch(/nothing matched; nearest: query/);
  });

  it('include a target that names a layer without effect on the loss, with its exclusion as a fix', async () => {
    const folder = lab();
    writeTwoOutputs(join(folder, 'm/model.onnx'));
    const text = experiment('{ "targetModules": ["query", "dense"] }');
    const analysis = await analysisOf(folder, text);
    expect(analysis.findings).toMatchObject([{ code: 'target-unreached', severity: 'error' }]);
    expect(covered(text, analysis.findings[0])).toBe('"dense"');
    expect(analysis.findings[0].message).toContain('pooler.dense');
    expect(budgetText(analysis).text).toMatch(/No budget: .* does not reach the loss: pooler\.dense/);
    const fixed = await analysisOf(folder, apply(text, analysis.findings[0].fixes[0]));
    expect(fixed.adapter).toMatchObject({ excludeModules: ['pooler.dense'] });
    expect(fixed.findings).toEqual([]);
    const read = text.replace('"m/model.onnx"', '"m/model.onnx", "output": "pooler_output"');
    expect((await analysisOf(folder, read)).findings).toEqual([]);
  });

  it('do not include "all-linear"; its hover lists the layers left out', async () => {
    const folder = lab();
    writeTwoOutputs(join(folder, 'm/model.onnx'));
    const text = experiment('{ "targetModules": "all-linear" }');
    const analysis = await analysisOf(folder, text);
    expect(analysis.findings).toEqual([]);
    const hover = hoverAt(analysis, text.indexOf('all-linear') + 2)!;
    expect(hover.lines[0]).toBe('Matches 12 of 13 linear layers (out × in):');
    expect(hover.lines.at(-1)).toBe('Excluded: pooler.dense (does not reach the loss)');
  });

  it.each(['targetModules', 'excludeModules'])(
    'are counted after the first hundred for a long list in %s',
    async (key) => {
      const names = JSON.stringify(Array.from({ length: 10_000 }, (_, i) => `layer${i}`));
      const targets = key === 'targetModules' ? '' : '"targetModules": ["query"], ';
      const text = experiment(`{ ${targets}"${key}": ${names} }`);
      const analysis = await analysisOf(lab(), text);
      expect(analysis.findings).toHaveLength(101);
      expect(covered(text, analysis.findings[99])).toBe('"layer99"');
      expect(covered(text, analysis.findings[100])).toBe(`"${key}"`);
      expect(analysis.findings[100].message).toBe(`9900 more entries of ${key} have the same problem.`);
      expect(JSON.stringify(analysis.findings).length).toBeLessThan(100_000);
      expect(budgetText(analysis).text.length).toBeLessThan(1000);
    },
  );

  it('include a long list of layers without effect on the loss, with a short message', async () => {
    const folder = lab();
    writeTwoOutputs(join(folder, 'm/model.onnx'));
    const names = JSON.stringify(Array<string>(5000).fill('pooler.dense'));
    const { findings } = await analysisOf(folder, experiment(`{ "targetModules": ${names} }`));
    expect(findings).toHaveLength(101);
    expect(new Set(findings.map((f) => f.code))).toEqual(new Set(['target-unreached']));
  });

  it('include a regular expression that is invalid or matches nothing as a whole', async () => {
    const text = experiment('{ "targetModules": "query" }');
    const { findings } = await analysisOf(lab(), text);
    expect(findings).toMatchObject([{ code: 'target-unmatched', severity: 'error' }]);
    for (const fix of findings[0].fixes)
      expect((await analysisOf(lab(), apply(text, fix))).findings).toEqual([]);
    const broken = await analysisOf(lab(), experiment('{ "targetModules": "(" }'));
    expect(broken.findings).toMatchObject([{ code: 'expression-invalid' }]);
  });

  it('include a regular expression that takes too long, without waiting for it', async () => {
    const wait = vi.spyOn(Atomics, 'wait');
    // These module paths are short.
    const evil = '(.*.*.*.*.*.*.*.*.*.*.*.*.*.*)+!';
    for (const [key, settings] of [
      ['targetModules', `"targetModules": "${evil}"`],
      ['excludeModules', `"targetModules": ["query"], "excludeModules": "${evil}!"`],
      ['rankPattern', `"targetModules": ["query"], "rankPattern": { "${evil}!!": 1 }`],
    ]) {
      const text = experiment(`{ ${settings} }`);
      const analysis = await analysisOf(lab(), text);
      expect(analysis.findings).toMatchObject([{ code: 'expression-invalid', severity: 'error' }]);
      expect(analysis.findings[0].message).toContain(`adapter.${key}: the regular expression "${evil}`);
      expect(covered(text, analysis.findings[0])).toContain(evil);
      expect(budgetText(analysis).text).toContain('takes more than 100 ms');
      hoverAt(analysis, text.indexOf(evil));
    }
    expect(wait).not.toHaveBeenCalled();
    wait.mockRestore();
  });

  it("include a rank above a layer's limit", async () => {
    const text = experiment('{ "rank": 1000 }');
    const { findings } = await analysisOf(lab(), text);
    expect(findings).toMatchObject([{ code: 'rank-too-large', severity: 'error' }]);
    expect((await analysisOf(lab(), apply(text, findings[0].fixes[0]))).findings).toEqual([]);
  });

  it('include a column that the file does not have', async () => {
    const folder = lab({ 'train.csv': 'sentence,label\na,x\nb,y\n' });
    const { findings } = await analysisOf(folder, experiment());
    expect(findings).toMatchObject([{ code: 'column-missing', severity: 'error' }]);
    expect(findings[0].message).toContain('"sentence", "label"');
    const fixed = apply(experiment(), findings[0].fixes[0]);
    expect((await analysisOf(folder, fixed)).findings).toEqual([]);

    const named = experiment('{}', ', "textColumn": "sentense"');
    const again = await analysisOf(folder, named);
    const preferred = again.findings[0].fixes.find((f) => f.preferred)!;
    expect((await analysisOf(folder, apply(named, preferred))).findings).toEqual([]);
  });

  it('include a column that a very wide file does not have, with a short message and menu', async () => {
    const header = Array.from({ length: 8000 }, (_, i) => `c${i}`).join(',');
    const folder = lab({ 'train.csv': `${header},x\n` });
    const { findings } = await analysisOf(folder, experiment('{}', ', "textColumn": "c7999 "'));
    const [finding] = findings.filter((f) => f.code === 'column-missing');
    expect(finding.message.length).toBeLessThan(1000);
    expect(finding.fixes).toHaveLength(51);
    expect(finding.fixes[0]).toMatchObject({ title: 'Use the column "c7999"', preferred: true });
  });

  it('include a single label', async () => {
    const { findings } = await analysisOf(lab({ 'train.csv': 'text,label\na,x\nb,x\n' }), experiment());
    expect(findings).toMatchObject([{ code: 'label-single', severity: 'error' }]);
  });

  it('include a duplicate key and contradictory values', async () => {
    const text = experiment('{ "rank": 2, "rank": 3, "gridRange": [1, -1] }');
    const { findings } = await analysisOf(lab(), text);
    expect(findings.map((f) => f.code).sort()).toEqual(['duplicate-key', 'values-conflict']);
    const range = findings.find((f) => f.code === 'values-conflict')!;
    expect(apply(text, range.fixes[0])).toContain('"gridRange": [-1, 1]');
    expect(
      covered(
        text,
        findings.find((f) => f.code === 'duplicate-key')!,
      ),
    ).toBe('"rank"');
  });

  it('include a missing column, with the default names of the kind of task', async () => {
    const tagged = '{"tokens":["a","b"],"tags":["O","B-X"]}\n'.repeat(60);
    const folder = lab({ 'train.jsonl': tagged, 'other.jsonl': '{"words":"a b","tags":"O O"}\n'.repeat(60) });
    const task = '"task": { "type": "token-classification" },\n  "adapter"';
    const of = (train: string, adapter = '{}') =>
      experiment(adapter).replace('train.csv', train).replace('"adapter"', task);
    expect((await analysisOf(folder, of('train.jsonl'))).findings).toEqual([]);
    // Tags are not labels: the same tags in every row, or different ones in each, are no problem.
    const words = of('other.jsonl');
    const { findings } = await analysisOf(folder, words);
    expect(findings).toMatchObject([{ code: 'column-missing', severity: 'error' }]);
    expect(findings[0].message).toContain('has no column "tokens" (data.textColumn); it has "words", "tags"');
    const fix = findings[0].fixes.find((f) => f.title.includes('words'))!;
    expect((await analysisOf(folder, apply(words, fix))).findings).toEqual([]);
    // The defaults are not filled in if the schema reports an error elsewhere.
    const broken = await analysisOf(folder, of('other.jsonl', '{ "rnak": 2 }'));
    expect(broken.findings.filter((f) => f.severity === 'error')).toMatchObject([
      { code: 'key-unknown' },
      { code: 'column-missing' },
    ]);
    expect(broken.findings.at(-1)!.message).toContain('has no column "tokens"');
  });

  it('include numbers in place of labels, and offer to predict them', async () => {
    const rows = (value: (i: number) => string) =>
      `text,label\n${Array.from({ length: 60 }, (_, i) => `t${i},${value(i)}\n`).join('')}`;
    const scores = lab({ 'train.csv': rows((i) => String((i % 25) / 5)) });
    const { findings } = await analysisOf(scores, experiment());
    expect(findings).toMatchObject([{ code: 'label-many', severity: 'warning' }]);
    expect(findings[0].message).toBe(
      '"label" has 25 different numbers in the first 60 rows, so it does not look like a label.',
    );
    const kinds = [
      '',
      '"task": {},\n  ',
      '"task": { "head": "linear" },\n  ',
      '"task": { "type": "text-classification" },\n  ',
    ];
    for (const task of kinds) {
      const text = experiment().replace('"model"', `${task}"model"`);
      const [finding] = (await analysisOf(scores, text)).findings;
      const fixed = apply(text, finding.fixes[0]);
      expect(fixed, task).toContain('"type": "text-regression"');
      expect((await analysisOf(scores, fixed)).findings, task).toEqual([]);
    }
    // Grades, years and identifiers: a few whole numbers may be labels, different ones in each row are none.
    const found = async (value: (i: number) => string) =>
      (await analysisOf(lab({ 'train.csv': rows(value) }), experiment())).findings.map((f) => f.message);
    expect(await found((i) => String(i % 25))).toEqual([]);
    expect(await found((i) => String((i % 10) / 2))).toEqual([]);
    expect(await found((i) => String(i))).toEqual([expect.stringContaining('60 different numbers')]);
    expect(await found((i) => `v${i}`)).toEqual([expect.stringContaining('60 different values')]);
  });

  it('include labels in place of numbers, and numbers that are all the same', async () => {
    const task = '"task": { "type": "text-regression" },\n  "adapter"';
    const text = experiment('{}', ', "labelColumn": "label"').replace('"adapter"', task);
    const found = async (csv: string) => (await analysisOf(lab({ 'train.csv': csv }), text)).findings;
    expect(await found('text,label\na,1\nb,-2.5e3\n')).toEqual([]);
    const [wrong] = await found('text,label,score\na,1,0.5\nb,good,1\n');
    expect(wrong).toMatchObject({ code: 'label-not-number', severity: 'error' });
    expect(wrong.message).toBe('"label" has the value "good", which is not a number.');
    expect(wrong.fixes.map((f) => f.title)).toEqual(['Use the column "score"']);
    expect(apply(text, wrong.fixes[0])).toContain('"labelColumn": "score"');
    const [same] = await found('text,label\na,1\nb,1.0\n');
    expect(same).toMatchObject({ code: 'label-single', severity: 'error' });
    expect(same.message).toBe('All values are 1, so there is nothing to learn.');
  });

  it('include missing columns of several labels, and values other than 0 and 1', async () => {
    const task = '"task": { "type": "multi-label-classification" },\n  "adapter"';
    const of = (more = '') => experiment('{}', more).replace('"adapter"', task);
    const folder = lab({ 'train.csv': 'text,bug,docs,note\na,1,0,x\nb,false,TRUE,y\n' });
    const [missing] = (await analysisOf(folder, of())).findings;
    expect(missing).toMatchObject({ code: 'column-missing' });
    const set = missing.fixes.find((f) => f.preferred)!;
    expect(set.title).toBe('Set labelColumns to the 2 columns of 0 and 1');
    const fixed = apply(of(), set);
    expect(fixed).toContain('"labelColumns": ["bug","docs"]');
    expect((await analysisOf(folder, fixed)).findings).toEqual([]);
    const text = of(', "labelColumns": ["bug", "dcos", "note"]');
    const { findings } = await analysisOf(folder, text);
    expect(findings.map((f) => [f.code, covered(text, f), f.message.split(' (')[0]])).toEqual([
      ['column-missing', '"dcos"', 'train.csv has no column "dcos"'],
      ['label-not-flag', '"note"', '"note" has the value "x", which is not 0 or 1.'],
    ]);
    expect(
      apply(
        text,
        findings[0].fixes.find((f) => f.preferred)!,
      ),
    ).toContain('["bug", "docs", "note"]');
  });

  it('include missing columns of a language model, which needs no label', async () => {
    const task = '"task": { "type": "causal-language-modeling" },\n  "adapter"';
    const found = async (more: string, csv: string) => {
      const text = experiment('{}', more).replace('"adapter"', task);
      const { findings } = await analysisOf(lab({ 'train.csv': csv }), text);
      return findings.map((f) => `${f.code} ${covered(text, f)}`);
    };
    expect(await found('', 'text\na\nb\n')).toEqual([]);
    expect(await found(', "completionColumn": "answer"', 'text,anwser\na,b\n')).toEqual([
      'column-missing "answer"',
    ]);
    expect(await found(', "messagesColumn": "messages"', 'text,chat\na,b\n')).toEqual([
      'column-missing "messages"',
    ]);
    expect(await found(', "messagesColumn": "chat"', 'chat\nb\n')).toEqual([]);
  });

  it('include data without rows, and files of an unknown format', async () => {
    const found = async (name: string, content: string) => {
      const text = experiment().replace('train.csv', name);
      const { findings } = await analysisOf(lab({ [name]: content }), text);
      return findings.map((f) => `${f.severity} ${f.code}: ${f.message}`);
    };
    expect(await found('none.csv', '')).toEqual(['error data-empty: none.csv is empty.']);
    expect(await found('blank.jsonl', '\n \n')).toEqual([
      'error data-empty: blank.jsonl has only blank lines.',
    ]);
    expect(await found('head.csv', 'text,label\n')).toEqual([
      'error data-empty: head.csv has a header but no rows.',
    ]);
    expect(await found('data.txt', 'a b')).toEqual([
      expect.stringMatching(/^error format-unknown: .*data\.txt/),
    ]);
  });

  it('include rows that a run would stop at as errors, and as warnings if it leaves them out', async () => {
    const task = '"task": { "type": "text-regression" },\n  "adapter"';
    const csv = 'text,label\na,1\nb,good\nc,2\n';
    const severity = async (more: string) => {
      const text = experiment('{}', more).replace('"adapter"', task);
      return (await analysisOf(lab({ 'train.csv': csv }), text)).findings.map((f) => f.severity);
    };
    expect(await severity('')).toEqual(['error']);
    expect(await severity(', "onBadRow": "skip"')).toEqual(['warning']);
  });

  it('include violations of the schema in the words of the terminal, with the likely key or value as a fix', async () => {
    const text = experiment('{ "rnak": 2, "activation": "tanj", "alpha": -1 }');
    const analysis = await analysisOf(lab(), text);
    const found = analysis.findings.map((f) => [f.severity, covered(text, f), f.message]);
    expect(found).toEqual([
      ['error', '"rnak"', 'adapter.rnak is not a known key for the method aurora; did you mean "rank"?'],
      ['error', '-1', 'adapter.alpha is -1, expected a number above 0.'],
      [
        'error',
        '"tanj"',
        'adapter.activation is "tanj", expected "tanh", "leaky-relu" or "sigmoid"; did you mean "tanh"?',
      ],
    ]);
    expect(budgetText(analysis).text).toContain('contain an error');
    const [key, , value] = analysis.findings.map((f) => f.fixes);
    expect(apply(text, key![0]!)).toContain('"rank": 2');
    expect(value!.find((f) => f.preferred)).toMatchObject({ text: '"tanh"' });
    expect(value).toHaveLength(3);
  });

  it('include a missing key at the section that lacks it', async () => {
    const text = experiment().replace(/"path": "[^"]*",?/, '');
    const { findings } = await analysisOf(lab(), text);
    expect(findings.map((f) => [f.severity, covered(text, f), f.message])).toEqual([
      ['error', '"model"', expect.stringMatching(/^model\.path is missing: .*\.$/)],
    ]);
  });

  it('leave syntax errors to VS Code while the file is open, and include them once it is closed', async () => {
    const { findings, problems } = await analysisOf(lab(), '{ "model": }');
    expect(findings.map((f) => f.code)).not.toContain('syntax');
    expect(syntaxFindings(problems)).toMatchObject([{ severity: 'error', code: 'syntax', offset: 11 }]);
  });
});
