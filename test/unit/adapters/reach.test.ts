import { parameterCount } from '../../../src/adapters/stored-tensors';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adaptersOn, budgetOf } from '../../../src/adapters/budget/budget';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { taskLayers } from '../../../src/adapters/task-output';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { loadModel } from '../../../src/graph/file/load';
import { prepareModel } from '../../../src/graph/prepare';
import { summarize } from '../../../src/graph/summary';
import { AuroraError } from '../../../src/base/errors';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { writeTwoOutputs } from '../../two-outputs';
import { auroraSpec } from '../specs';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('reach');
const path = join(folder, 'model.onnx');
writeTwoOutputs(path);
const model = loadModel(path);
const { graph } = prepareModel(model);
const layers = findLinearLayers(graph);
const summary = summarize(model);
const paths = layers.map((l) => l.path);
const HIDDEN = 'last_hidden_state';
const allLinear = auroraSpec({ targetModules: 'all-linear' });

const select = (spec: TrainedSpec, output: string) => selectAdapters(graph, layers, spec, output);
const adapted = (spec: TrainedSpec, output: string) => select(spec, output).adapters.map((a) => a.layer.path);

function errorOf(action: () => unknown): AuroraError {
  try {
    action();
  } catch (e) {
    if (e instanceof AuroraError) return e;
    throw e;
  }
  throw new Error('no error');
}

describe('a model with two outputs', () => {
  it('lists the outputs that depend on each layer', () => {
    const reaches = new Map(summary.layers.map((l) => [l.path, l.reaches]));
    expect(reaches.get('layer.0.query')).toEqual([HIDDEN, 'pooler_output']);
    expect(reaches.get('pooler.dense')).toEqual(['pooler_output']);
  });

  it('lets "all-linear" adapt only the layers that affect the loss, and reports the others', () => {
    expect(paths).toContain('pooler.dense');
    expect(adapted(allLinear, HIDDEN)).toEqual(paths.filter((p) => p !== 'pooler.dense'));
    expect(select(allLinear, HIDDEN).leftOut).toEqual([{ path: 'pooler.dense', why: 'unreached' }]);
    expect(adapted(allLinear, 'pooler_output')).toEqual(paths);
    expect(select(allLinear, 'pooler_output').leftOut).toEqual([]);
  });

  it('does not report a layer that is in excludeModules', () => {
    const spec = auroraSpec({ targetModules: 'all-linear', excludeModules: ['dense'] });
    expect(select(spec, HIDDEN).leftOut).toEqual([]);
  });

  it.each([
    ['a list', ['query', 'dense']],
    ['an expression', '.*(query|dense)'],
  ])('rejects %s that names a layer without effect on the loss, and gives its path', (_, targetModules) => {
    const error = errorOf(() => select(auroraSpec({ targetModules }), HIDDEN));
    expect(error.kind).toBe('targets');
    expect(error.message).toContain('pooler.dense');
    expect(error.message).not.toContain('query');
    expect(adapted(auroraSpec({ targetModules }), 'pooler_output')).toContain('pooler.dense');
    const without = auroraSpec({ targetModules, excludeModules: ['pooler.dense'] });
    expect(adapted(without, HIDDEN)).not.toContain('pooler.dense');
  });

  it.each([HIDDEN, 'pooler_output', undefined])(
    'has the same budget in the calculator and in the trainer for output %s',
    (output) => {
      const marked = taskLayers(summary, { output, head: true });
      const trained = select(allLinear, output ?? HIDDEN);
      const budget = budgetOf(marked, allLinear, { tokens: 1 });
      expect(budget.modules.map((m) => m.path)).toEqual(trained.adapters.map((a) => a.layer.path));
      expect(budget.adapter.parameters).toBe(parameterCount(trained.adapters));
      expect(budget.leftOut).toEqual(trained.leftOut);
    },
  );

  it('leaves out only layers that affect no output when the output is unclear', () => {
    const unclear = taskLayers(summary, { output: undefined, head: false });
    expect(unclear.filter((l) => l.unreached)).toEqual([]);
    expect(adaptersOn(unclear, allLinear).adapters).toHaveLength(paths.length);
  });
});
