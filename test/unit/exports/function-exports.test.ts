import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../../src/graph/file/load';
import { saveModel, saveChanged } from '../../../src/graph/file/save';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { largestDifference, measureFile, measureTask } from '../../../src/training/measure';
import { mergedModel } from '../../../src/exports/merged';
import { initialParameters, prepareTask } from '../../../src/training/task/task';
import { perturbed } from '../../../src/training/task/initialize';
import { functionBytes, OWN } from '../graph/functions';
import { node } from '../graph/onnx-models';
import { languageLab } from '../training/generation/language-lab';

const lab = languageLab({ task: { type: 'multiple-choice', head: 'none', scoring: 'likelihood' } });
afterAll(() => lab.remove());

/** The language model with its products in a function. */
function writeFunctions(): void {
  const model = loadModel(lab.path('model.onnx'));
  model.graph.nodes = model.graph.nodes.map((n) =>
    n.opType === 'MatMul' ? { ...n, opType: 'Linear', domain: OWN } : n,
  );
  model.opsets.set(OWN, 1);
  const nodes = [node('MatMul', ['input', 'weight'], ['output'])];
  const linear = { name: 'Linear', inputs: ['input', 'weight'], outputs: ['output'], nodes };
  model.unknown = [functionBytes({ ...linear, opset: model.opsets.get('') })];
  saveModel(model, lab.path('functions.onnx'));
}

describe('a merged export of a model with local functions', () => {
  it('calls them with the trained weights', async () => {
    writeFunctions();
    const spec = loadExperiment(lab.experiment, ['model.path=functions.onnx']);
    const task = await prepareTask(spec, lab.path('graph'));
    expect(task.adapters.length).toBeGreaterThan(2);
    const parameters = perturbed(initialParameters(task), 4);
    const own = await measureTask(task, parameters, lab.path('own'));
    const { model, changed } = mergedModel(task, parameters);
    expect(model.graph.nodes.map((n) => n.opType)).toEqual(task.original.graph.nodes.map((n) => n.opType));
    mkdirSync(lab.path('merged'));
    const path = join(lab.path('merged'), 'model.onnx');
    saveChanged(model, task.original, path, changed);
    expect(largestDifference(await measureFile(task, path, 'logits'), own)).toBeLessThan(1e-3);
  });
});
