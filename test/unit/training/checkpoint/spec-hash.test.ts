import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../../src/experiment/experiment';
import { specHash } from '../../../../src/training/checkpoint/checkpoint';

const FILES = { model: { path: '/a/m.onnx', tokenizer: '/a/t.json' }, data: { train: '/a/data.csv' } };
const spec = (value: object) => ({ ...FILES, ...value }) as Experiment;

describe('the hash of a spec', () => {
  it('ignores the order of keys and depends on every value and the order of lists', () => {
    const a = specHash(spec({ name: 'x', training: { betas: [0.9, 0.999], seed: 1 } }));
    expect(specHash(spec({ training: { seed: 1, betas: [0.9, 0.999] }, name: 'x' }))).toBe(a);
    expect(specHash(spec({ name: 'x', training: { betas: [0.9, 0.999], seed: 2 } }))).not.toBe(a);
    expect(specHash(spec({ name: 'x', training: { betas: [0.999, 0.9], seed: 1 } }))).not.toBe(a);
  });

  it('is the same after the project was moved, and another one for a file of another name', () => {
    const of = (train: string) => specHash(spec({ data: { train } }));
    expect(of('/b/c/data.csv')).toBe(of('/a/data.csv'));
    expect(of('/a/other.csv')).not.toBe(of('/a/data.csv'));
  });
});
