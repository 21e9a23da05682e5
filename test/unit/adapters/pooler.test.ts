import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { budgetOf } from '../../../src/adapters/budget/budget';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { taskLayers } from '../../../src/adapters/task-output';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { summarize } from '../../../src/graph/summary';
import { auroraSpec } from '../specs';

/** A folder whose head reads the pooler. */
const model = loadModelFrom(modelSource(resolve('test/fixtures/hf/ernie-cls')));
const layers = findLinearLayers(model.graph);
const summary = summarize(model);

const select = (spec: TrainedSpec, output: string) => selectAdapters(model.graph, layers, spec, output);
const adapted = (spec: TrainedSpec, output: string) => select(spec, output).adapters.map((a) => a.layer.path);

describe("the pooler of a folder's base model", () => {
  it('is adapted where targets match it and the output depends on it, as in PEFT', () => {
    for (const output of ['logits', 'pooler_output']) {
      expect(adapted(auroraSpec({ targetModules: ['query', 'dense'] }), output)).toContain('pooler.dense');
      expect(adapted(auroraSpec({ targetModules: 'all-linear' }), output)).toContain('pooler.dense');
    }
    expect(adapted(auroraSpec({ targetModules: ['query'] }), 'logits')).not.toContain('pooler.dense');
  });

  it.each([[['query', 'dense']], ['.*(?:query|dense)'], ['all-linear']])(
    'is left out by %o where the output does not depend on it (silently)',
    (targetModules) => {
      const spec = auroraSpec({ targetModules });
      const { adapters, leftOut, warnings } = select(spec, 'last_hidden_state');
      const paths = adapters.map((a) => a.layer.path);
      expect(paths).toContain('encoder.layer.0.output.dense');
      expect(paths).not.toContain('pooler.dense');
      expect([...leftOut, ...warnings]).toEqual([]);
      const marked = taskLayers(summary, { output: 'last_hidden_state', head: true });
      expect(budgetOf(marked, spec, { tokens: 1 }).modules.map((m) => m.path)).toEqual(paths);
    },
  );

  it('is refused where it is all that the targets name and the output does not depend on it', () => {
    const spec = auroraSpec({ targetModules: ['pooler.dense'] });
    expect(() => select(spec, 'last_hidden_state')).toThrow(
      /a layer that does not reach the loss: pooler\.dense/,
    );
  });
});
