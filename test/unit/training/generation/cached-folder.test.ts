import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openEvaluator } from '../../../../src/engine/open-task';
import { CPU } from '../../../../src/engine/place';
import type { Evaluator } from '../../../../src/engine/stepper';
import { loadModel } from '../../../../src/graph/file/load';
import { tensorNumbers } from '../../../../src/graph/values';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { nextTokens, write, openWriter } from '../../../../src/training/generation/writer';
import { MicroBatches } from '../../../../src/training/micro-batch/micro-batches';
import { initialParameters, prepareTask } from '../../../../src/training/task/task';
import { perturbed } from '../../../../src/training/task/initialize';
import { safetensors, type Stored } from '../../architectures/folders';
import { languageLab } from './language-lab';
import { writing } from './writing';

const DEMO = resolve('demo/models/debian-llama');

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** The demo's language model as on the hub, and an experiment on it. */
async function opened(config: Record<string, unknown> = {}) {
  const lab = languageLab({
    model: { path: 'llama', tokenizer: 'tokenizer.json', maxLength: 96 },
    adapter: { method: 'lora', targetModules: ['q_proj', 'down_proj'] },
  });
  const { initializers } = loadModel(join(DEMO, 'model.onnx')).graph;
  const weights = [...initializers.values()].flatMap((t): [string, Stored][] =>
    /^model\..*weight$/.test(t.name) ? [[t.name, { dims: t.dims, values: tensorNumbers(t) }]] : [],
  );
  const own = JSON.parse(readFileSync(join(DEMO, 'config.json'), 'utf8')) as Record<string, unknown>;
  lab.write('llama/config.json', JSON.stringify({ ...own, ...config }));
  lab.write('llama/model.safetensors', safetensors(Object.fromEntries(weights)));
  const task = await prepareTask(loadExperiment(lab.experiment, []), lab.path('graph'));
  const evaluator = await openEvaluator(task.model, task.infos, task.graph, lab.path('evaluator'));
  const micro = new MicroBatches(task, evaluator, CPU, () => undefined);
  const { dataset } = task.data.validation;
  // Adapters that change the texts.
  const parameters = perturbed(initialParameters(task), 3);
  let graphs = 0;
  const counting: Evaluator = {
    ...evaluator,
    openGraph: (...args) => {
      graphs++;
      return evaluator.openGraph!(...args);
    },
  };
  const writer = await openWriter(counting, task, micro, dataset, parameters);
  closing.push(async () => {
    await writer.dispose();
    await evaluator.dispose();
    lab.remove();
  });
  return { writer, graphs, again: nextTokens(evaluator, task, micro, dataset, parameters) };
}

describe('a decoder in a folder from the hub', () => {
  it('writes with a key/value cache what it writes without one', async () => {
    const { writer, graphs, again } = await opened();
    const writings = [[40, 900, 17, 3], [5], [300, 8, 1200]].map((prompt) => writing(prompt, 8, 1));
    const texts = await writer.write(writings);
    expect(graphs).toBe(1);
    expect(texts).toEqual(await write(writings, 24, again));
    expect(new Set(texts.flat()).size).toBeGreaterThan(4);
  });

  it('has no cache where positions are scaled by the length of a text', async () => {
    const rope_scaling = { type: 'dynamic', factor: 2 };
    expect(await opened({ rope_scaling, max_position_embeddings: 95 })).toMatchObject({ graphs: 0 });
  });
});
