import { describe, expect, it } from 'vitest';
import type { Inspection } from '../../../src/adapters/inspection';
import { inspectionReport } from '../../../src/adapters/inspection-report';
import type { LayerSummary } from '../../../src/graph/summary';
import type { StepCost } from '../../../src/protocol/step-cost';

const layer = (path: string, more: Partial<LayerSummary> = {}): LayerSummary => ({
  ...{ path, inFeatures: 8, outFeatures: 16, calls: 1, operator: 'MatMul', sharedWith: [] },
  ...{ mergeable: true, output: false, hasBias: true, reaches: ['hidden', 'pooled'] },
  ...more,
});

const memory = { program: 1e8, weights: 4e8, activations: 3e8, evaluation: 1e8, trained: 1e6, total: 9e8 };
const step: StepCost = {
  method: 'aurora',
  rank: 2,
  batch: 8,
  length: 128,
  memory: { ...memory, available: 8e9 },
};

const model: Inspection = {
  ...{ producer: 'pytorch', opset: 17, parameters: 21_121, weights: [{ type: 'float', bytes: 84_484 }] },
  inputs: [{ name: 'ids', type: 'int64', shape: ['batch', undefined as never] }],
  outputs: ['hidden', 'pooled'].map((name) => ({ name, type: 'float', shape: undefined })),
  layers: [layer('query')],
  missingRules: [],
  blocked: [],
  step,
};

const parts = (more: Partial<Inspection> = {}) => inspectionReport('m.onnx', { ...model, ...more }).parts;
const rows = (more: Partial<Inspection> = {}) =>
  parts(more).flatMap((part) => (typeof part === 'object' && 'rows' in part ? part.rows : []));

describe('the report on a model', () => {
  it('has its facts, and the layers as out × in', () => {
    expect(rows()).toEqual(
      expect.arrayContaining([
        ['parameters', '21,121'],
        ['kind', 'opset 17, from pytorch'],
        ['inputs', 'ids int64 [batch, ?]'],
        ['outputs', 'hidden float [?] · pooled float [?]'],
        ['query', '16 × 8', ''],
      ]),
    );
    expect(rows({ family: 'bert', positions: 512 })).toEqual(
      expect.arrayContaining([
        ['kind', 'bert'],
        ['longest text', '512 tokens'],
      ]),
    );
  });

  it.each<[Partial<LayerSummary>, string]>([
    [{ reaches: [] }, 'reaches no output'],
    [{ reaches: ['pooled'] }, 'reaches only pooled'],
    [{ output: true, calls: 2 }, 'the model’s own output: left out by "all-linear"; called 2 times'],
    [
      { sharedWith: ['key'], mergeable: false },
      'weight shared with key; weight is computed: cannot be merged',
    ],
  ])('notes what is special about a layer: %j', (more, notes) =>
    expect(rows({ layers: [layer('x', more)] })).toContainEqual(['x', '16 × 8', notes]),
  );

  it('has one row for the experts of a layer, and counts what a token has of them', () => {
    const own = [0, 1, 2].map((e) => layer(`layers.0.mlp.experts.${e}.up_proj`, { routed: true }));
    const all = rows({ layers: own, parameters: 300, activeParameters: 100 });
    expect(all).toContainEqual(['parameters', '300, of which each token has 100']);
    expect(all.filter(([name]) => name.includes('experts'))).toEqual([
      ['layers.0.mlp.experts.*.up_proj', '16 × 8', '3 experts; left out by "all-linear"'],
    ]);
  });

  it('names the operators that block gradients, the layers below and the way around', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const blocked = parts({
      layers: [layer('x'), layer('y')],
      missingRules: [{ operator: 'Loop', nodes }],
      blocked: ['x'],
    });
    expect(blocked).toContainEqual({ list: ['Loop: a, b, c, d, e and 2 more'] });
    expect(blocked).toContainEqual(expect.stringMatching(/^1 of 2 layers are below it\. Adapt other layers/));
    expect(blocked).toContain('The layers below: x.');
  });

  it('estimates a step, or several sizes beside each other', () => {
    expect(rows()).toContainEqual(['settings', 'batch 8 × 128 tokens, AuroRA r=2']);
    expect(parts()).toContain('Fits the 8.0 GB of memory that are available now.');
    const large = { ...step, memory: { ...memory, available: 1e8 } };
    expect(parts({ step: large })).toContain('More than the 100 MB of memory that are available now.');
    const none: StepCost = { method: 'none', batch: 8, problem: 'Its outputs are unknown.' };
    expect(parts({ step: none }).at(-1)).toBe('Its outputs are unknown.');
    expect(rows({ steps: [step, { ...step, batch: 2 }] }).slice(-2)).toEqual([
      ['batch 8 × 128 tokens', '900 MB', ''],
      ['batch 2 × 128 tokens', '900 MB', ''],
    ]);
  });
});
