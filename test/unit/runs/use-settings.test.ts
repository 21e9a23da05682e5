import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../../src/runs/experiment/load';
import { withSettings } from '../../../src/runs/experiment/use-settings';

const FILE = '/lab/mine.aurora.json';
const TEXT = `// What I try today.
{
  "name": "mine",
  "model": { "path": "model.onnx", "tokenizer": "tokenizer.json" },
  "task": { "type": "text-classification" }, // two labels
  "data": { "train": "train.csv" },
  "adapter": { "method": "aurora", "rank": 2, "targetModules": ["query"] },
  "training": {
    "epochs": 3, // enough
    "learningRate": 1e-3,
  },
}
`;
const specOf = (text: string) => parseExperiment(FILE, text, []);

describe("a run's settings in its experiment's file", () => {
  it('change what differs, and keep comments, order and the name', () => {
    const run = TEXT.replace('"name": "mine"', '"name": "older"')
      .replace('1e-3', '0.05')
      .replace('"epochs": 3', '"epochs": 7')
      .replace('"rank": 2, "targetModules": ["query"]', '"rank": 4, "targetModules": ["query", "value"]');
    const changed = withSettings(FILE, TEXT, specOf(run));
    expect(changed).toBe(
      TEXT.replace('1e-3', '0.05')
        .replace('"epochs": 3', '"epochs": 7')
        .replace('"rank": 2, "targetModules": ["query"]', '"rank": 4, "targetModules": ["query", "value"]'),
    );
    expect({ ...specOf(changed), name: '' }).toEqual({ ...specOf(run), name: '' });
  });

  it('are the same text if nothing differs', () => {
    expect(withSettings(FILE, TEXT, specOf(TEXT))).toBe(TEXT);
    expect(withSettings(FILE, TEXT, { ...specOf(TEXT), name: 'other' })).toBe(TEXT);
  });

  it('add what is missing, remove what the run lacks, and name files relative to the experiment', () => {
    const now = TEXT.replace('"epochs": 3,', '"epochs": 3, "maxSteps": 20,');
    const run = TEXT.replace('"train": "train.csv"', '"train": "other/b.csv", "validation": "v.csv"').replace(
      '"learningRate": 1e-3,',
      '"learningRate": 1e-3, "seed": 7, "headLearningRate": 0.1, "warmupRatio": 0.1',
    );
    const changed = withSettings(FILE, now, specOf(run));
    expect(specOf(changed)).toEqual(specOf(run));
    expect(changed).toContain('"train": "other/b.csv"');
    expect(changed).toContain('"validation": "v.csv"');
    expect(changed).not.toContain('maxSteps');
    expect(changed).toContain('// enough');
  });

  it('replace the whole method, whose settings others lack', () => {
    const run = TEXT.replace(
      '"adapter": { "method": "aurora", "rank": 2, "targetModules": ["query"] }',
      '"adapter": { "method": "lora", "rank": 8, "alpha": 16, "targetModules": ["query", "value"] }',
    );
    const changed = withSettings(FILE, TEXT, specOf(run));
    expect(specOf(changed)).toEqual(specOf(run));
    const back = withSettings(FILE, changed, specOf(TEXT));
    expect(specOf(back)).toEqual(specOf(TEXT));
    expect(back).toContain('// What I try today.');
  });

  it('need a file without mistakes', () => {
    expect(() => withSettings(FILE, TEXT.replace('"rank": 2', '"rank": -2'), specOf(TEXT))).toThrow(/rank/);
  });
});
