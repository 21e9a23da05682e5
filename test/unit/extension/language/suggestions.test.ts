import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hoverAt } from '../../../../src/extension/language/hover-text';
import { suggestionsAt } from '../../../../src/extension/language/suggestions';
import { analysisOf, experiment, lab } from './lab';

describe('completion', () => {
  const at = async (text: string, known: string[] = [], folder = lab()) => {
    const offset = text.indexOf('|');
    const clean = text.replace('|', '');
    const analysis = await analysisOf(
      folder,
      clean,
      known.map((k) => join(folder, k)),
    );
    const found = suggestionsAt(
      analysis,
      offset,
      known.map((k) => join(folder, k)),
    );
    return { clean, found };
  };

  it('offers the name endings of the model with their counts, inside and outside quotes', async () => {
    for (const written of ['["q|"]', '["query", |]', '["query", "|"]', '"|"']) {
      const { found } = await at(experiment(`{ "targetModules": ${written} }`));
      expect(found?.suggestions).toContainEqual(
        expect.objectContaining({ value: 'query', detail: expect.stringMatching(/^\d+ modules?, /) }),
      );
    }
    const { clean, found } = await at(experiment('{ "targetModules": ["q|ue", "value"] }'));
    expect(clean.slice(found!.span.offset, found!.span.offset + found!.span.length)).toBe('que');
  });

  it('offers files of the right kind, columns and outputs, and nothing elsewhere', async () => {
    const known = ['train.csv', 'm/model.onnx', 'v.jsonl.gz'];
    const text = experiment('{}', ', "validation": "|"');
    expect((await at(text, known)).found?.suggestions.map((s) => s.value)).toEqual([
      'train.csv',
      'v.jsonl.gz',
    ]);
    const column = await at(experiment('{}', ', "labelColumn": "|"'));
    expect(column.found?.suggestions).toMatchObject([
      { value: 'text', detail: '3 different values: a, b · c · d' },
      { value: 'label', detail: '2 different values: x · y' },
    ]);
    const second = await at(experiment('{}', ', "textPairColumn": "|"'));
    expect(second.found?.suggestions.map((s) => s.value)).toEqual(['text', 'label']);
    const output = await at(experiment().replace('model.onnx"', 'model.onnx", "output": "|"'));
    expect(output.found?.suggestions.length).toBeGreaterThan(0);
    expect((await at(experiment('{ "rank": | }'))).found).toBeUndefined();
  });

  it('offers the columns that are not yet in a list of columns', async () => {
    const task = '"task": { "type": "multi-label-classification" },\n  "adapter"';
    const folder = lab({ 'train.csv': 'text,bug,docs\na,1,0\nb,0,1\n' });
    const values = async (list: string) =>
      (
        await at(experiment('{}', `, "labelColumns": ${list}`).replace('"adapter"', task), [], folder)
      ).found?.suggestions.map((s) => s.value);
    expect(await values('[|]')).toEqual(['text', 'bug', 'docs']);
    expect(await values('["bug", |]')).toEqual(['text', 'docs']);
    expect(await values('["bug", "|"]')).toEqual(['text', 'docs']);
    expect(await values('["b|ug"]')).toEqual(['text', 'bug', 'docs']);
  });

  it("offers dotted settings in a sweep for the adapter's method", async () => {
    const sweep = (inside: string) =>
      experiment('{ "method": "lora" }').replace(/}\s*$/, `, "sweep": ${inside} }`);
    for (const inside of ['{ "parameters": { "|": [1] } }', '{ "trials": [{ "|": 1 }] }']) {
      const { found } = await at(sweep(inside));
      expect(found?.suggestions).toContainEqual(
        expect.objectContaining({ value: 'adapter.useRslora', detail: expect.stringMatching(/alpha/) }),
      );
      expect(found?.suggestions.map((s) => s.value)).not.toContain('adapter.gridSize');
    }
    expect((await at(sweep('{ "|": 1 }'))).found).toBeUndefined();
  });
});

describe('hover', () => {
  it('lists what a target matches and shows defaults, columns and the model', async () => {
    const text = experiment('{ "targetModules": ["query", "value"], "rank": 2 }', ', "labelColumn": "label"');
    const analysis = await analysisOf(lab(), text);
    const lines = (word: string) => hoverAt(analysis, text.indexOf(word) + 2)?.lines ?? [];
    const entry = lines('"query"');
    expect(entry[0]).toMatch(/^Matches \d+ of \d+ linear layers/);
    expect(entry.slice(1).every((l) => /\.query {2}\d+ × \d+$/.test(l))).toBe(true);
    expect(lines('"rank"')).toEqual(['Default: 2']);
    expect(lines('"label"')).toEqual([
      '2 different values in the first 3 rows, for example:',
      '    x',
      '    y',
    ]);
    expect(lines('"m/model.onnx"')[0]).toMatch(/parameters, opset \d+/);
    const both = lines('"targetModules"');
    expect(both[0]).toBe('Default: ["query","value"]');
    expect(both.length).toBe(2 + 2 * (entry.length - 1));
  });

  it('shows the values of each column in a list', async () => {
    const text = experiment('{}', ', "labelColumns": ["label"]');
    const hover = hoverAt(await analysisOf(lab(), text), text.indexOf('["label"') + 3);
    expect(hover?.lines).toContain('2 different values in the first 3 rows, for example:');
  });

  it('describes a setting in a sweep', async () => {
    const sweep = ', "sweep": { "parameters": { "training.epochs": [1, 2] } } }';
    const text = experiment().replace(/}\s*$/, sweep);
    const hover = hoverAt(await analysisOf(lab(), text), text.indexOf('"training.epochs"') + 2);
    expect(hover?.lines).toEqual([expect.stringMatching(/^Passes over the training data/), 'Default: 3']);
  });
});
