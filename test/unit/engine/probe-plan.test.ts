import { describe, expect, it } from 'vitest';
import { probePlans, type ProbePlan } from '../../../src/engine/onnxruntime/probe';
import { DType } from '../../../src/graph/dtype';
import type { Dim, ValueInfo } from '../../../src/graph/model';

const input = (name: string, ...shape: Dim[]): ValueInfo => ({ name, dtype: DType.int64, shape });
const labelOf = (plan: ProbePlan, name: string, axis: number): string | undefined =>
  plan.labels.get(plan.rounds.map((r) => r.get(name)![axis]).join('|'));

describe('the probe plans', () => {
  it('probe a model of fixed shapes once', () => {
    const [first] = probePlans([input('x', 2, 7)]);
    expect(first.rounds).toEqual([new Map([['x', [2, 7]]])]);
  });

  it('first use the declared axis names', () => {
    const [first] = probePlans([input('ids', 'n', 't'), input('mask', 'n', 't')]);
    expect(labelOf(first, 'ids', 1)).toBe('t');
    expect(labelOf(first, 'mask', 1)).toBe('t');
    expect(labelOf(first, 'mask', 0)).toBe('n');
  });

  it('then tie the same axes of inputs that name them differently, and give a decoder its own length', () => {
    const plans = probePlans([
      input('ids', 'a', 'b'),
      input('mask', 'c', 'd'),
      input('decoder_ids', undefined, undefined),
    ]);
    const tied = plans.find((p) => labelOf(p, 'ids', 1) === labelOf(p, 'mask', 1))!;
    expect(labelOf(tied, 'decoder_ids', 0)).toBe(labelOf(tied, 'ids', 0));
    expect(labelOf(tied, 'decoder_ids', 1)).not.toBe(labelOf(tied, 'ids', 1));
  });

  it('give every axis distinct sizes', () => {
    const names = Array.from({ length: 6 }, (_, i) => `axis${i}`);
    for (const plan of probePlans([input('x', 'n', ...names)])) expect(plan.labels.size).toBe(7);
  });

  it('rule out ties that a real batch contradicts, and try its shapes last', () => {
    const plans = probePlans([input('x', 'n', 't'), input('y', 'n', 't')], [{ x: [4, 9], y: [4, 6] }]);
    expect(
      plans.every((p) => labelOf(p, 'x', 1) === undefined || labelOf(p, 'x', 1) !== labelOf(p, 'y', 1)),
    ).toBe(true);
    expect(plans.at(-2)!.rounds.map((r) => r.get('x'))).toEqual([
      [2, 9],
      [3, 9],
      [5, 9],
    ]);
    expect(plans.at(-1)!.rounds[0].get('y')).toEqual([4, 6]);
  });

  it('reuse the sizes of an axis that an earlier probe named after them', () => {
    const [first] = probePlans([input('labels', 'n', '9|13|15')]);
    expect(first.rounds.map((r) => r.get('labels')![1])).toEqual([9, 13, 15]);
  });

  it('reject an input without a shape and name it', () => {
    expect(() => probePlans([{ name: 'x', dtype: DType.float, shape: undefined }])).toThrow(
      /input x declares no shape/,
    );
  });
});
