import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { analysisOf, apply, makeFolder } from './lab';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';

/** A key in every section, also where a section has several forms. */
const EXPERIMENT = {
  model: { path: 'model.onnx', tokenizer: 'tokenizer.json', maxLength: 64 },
  task: { type: 'text-classification', pooling: 'mean', labelSmoothing: 0.1 },
  data: {
    train: 'train.csv',
    labelColumn: 'label',
    evaluations: { other: { path: 'other.csv', textColumn: 'text' } },
  },
  adapter: { method: 'lora', rank: 4, dropout: 0.1, targetModules: ['query'] },
  training: { learningRate: 0.001, batchSize: 8, seed: 1, earlyStopping: { patience: 2 } },
  sweep: {
    type: 'random',
    count: 2,
    parameters: {
      'adapter.alpha': [8, 16],
      'training.warmupRatio': { min: 0.1, max: 0.2, scale: 'linear' },
    },
    pruning: { minEpochs: 1 },
  },
};
const TEXT = JSON.stringify(EXPERIMENT, null, 2);
/** A name that the user chooses is no key to misspell. */
const KEYS = [...TEXT.matchAll(/"([\w.]+)":/g)]
  .map(([, key]) => key!)
  .filter((key) => !['other', 'r', 'type', 'method', 'min', 'max', 'seed'].includes(key));

/** The key without its third letter from the end, so that a short one is still close. */
const misspelt = (key: string): string => `${key.slice(0, -2)}${key.at(-1)}`;

/** Some of the keys, each misspelt in its own place. */
function withMisspelt(text: string, keys: readonly string[]): string {
  return keys.reduce((s, key) => s.replace(`"${key}":`, `"${misspelt(key)}":`), text);
}

/** The replacements that the fixes of the whole text would make. */
async function suggestions(text: string): Promise<Map<string, string>> {
  const analysis = await analysisOf(makeFolder({}), text);
  return new Map(
    analysis.findings
      .flatMap((f) => f.fixes)
      .filter((fix) => fix.preferred)
      .map((fix) => [text.slice(fix.offset, fix.offset + fix.length), fix.text]),
  );
}

describe('a misspelt key', () => {
  it.each(KEYS)('%s gets a suggestion', async (key) => {
    const found = await suggestions(withMisspelt(TEXT, [key]));
    expect(found.get(`"${misspelt(key)}"`)).toBe(`"${key}"`);
  });

  it('gets one whatever else is misspelt in the file', async () => {
    for (let first = 0; first < KEYS.length; first++) {
      const keys = [0, 7, 12].map((step) => KEYS[(first + step) % KEYS.length]!);
      const found = await suggestions(withMisspelt(TEXT, keys));
      // A setting of a key that is not known has no known keys itself.
      const within = keys.filter((key) => !keys.some((k) => k !== key && INSIDE[k]?.includes(key)));
      for (const key of within) expect([key, found.get(`"${misspelt(key)}"`)]).toEqual([key, `"${key}"`]);
    }
  });

  it('gets one in an adapter whose method is misspelt', async () => {
    const text = withMisspelt(TEXT.replace('"lora"', '"loraa"'), ['rank', 'dropout']);
    const found = await suggestions(text);
    expect([found.get('"rak"'), found.get('"dropot"')].sort()).toEqual(['"dropout"', '"rank"']);
    expect(found.get('"loraa"')).toBe('"lora"');
  });

  it('is named with the one that was meant, and a fix makes the file valid', async () => {
    const folder = makeFolder({});
    const wrong = withMisspelt(TEXT, ['adapter.alpha', 'batchSize', 'scale']);
    const file = join(folder, 'x.aurora.json');
    writeFileSync(file, wrong);
    expect(() => loadExperiment(file)).toThrow(
      /batchSie is not a known key; did you mean "batchSize"\?[^]*did you mean "scale"\?[^]*did you mean "adapter\.alpha"\?/,
    );
    const fixes = (await analysisOf(folder, wrong)).findings.flatMap((f) =>
      f.fixes.filter((x) => x.preferred),
    );
    const right = fixes.sort((a, b) => b.offset - a.offset).reduce(apply, wrong);
    expect((await analysisOf(folder, right)).problems).toEqual([]);
  });

  it('of PEFT or transformers gets the name that it has here', async () => {
    const text = TEXT.replace('"rank"', '"r"').replace('"learningRate"', '"lr"');
    const found = await suggestions(text);
    expect([found.get('"r"'), found.get('"lr"')]).toEqual(['"rank"', '"learningRate"']);
  });
});

const INSIDE: Record<string, readonly string[]> = Object.fromEntries(
  Object.entries({ ...EXPERIMENT, ...EXPERIMENT.sweep, ...EXPERIMENT.data, ...EXPERIMENT.training }).flatMap(
    ([key, value]) =>
      typeof value === 'object'
        ? [[key, [...JSON.stringify(value).matchAll(/"([\w.]+)":/g)].map((m) => m[1]!)]]
        : [],
  ),
);
