import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import { saveModel, saveChanged } from '../../../src/graph/file/save';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import type { Model } from '../../../src/graph/model';
import { cacheInputs } from '../../../src/graph/without-past';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { adapterInputsModel, dynamicModel } from '../../../src/exports/dynamic';
import { emptyPast, largestDifference, measureFile, measureTask } from '../../../src/training/measure';
import { logitsName } from '../../../src/exports/logits-head';
import { mergedModel } from '../../../src/exports/merged';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { adaptModel } from '../../../src/training/task/adapted-model';
import { initialParameters, prepareTask, type Task } from '../../../src/training/task/task';
import { languageLab } from '../training/generation/language-lab';

const names = ({ graph }: Model) => [graph.inputs, graph.outputs].map((all) => all.map((v) => v.name));
const lab = languageLab({ task: { type: 'multiple-choice', head: 'none', scoring: 'likelihood' } });
afterAll(() => lab.remove());

describe('exports of a decoder with a key/value cache', async () => {
  const task = await prepareTask(loadExperiment(lab.experiment, []), lab.path('graph'));
  const parameters = perturbed(initialParameters(task), 4);
  const own = await measureTask(task, parameters, lab.path('own'));
  const folder = (name: string) => {
    mkdirSync(lab.path(name), { recursive: true });
    return join(lab.path(name), 'model.onnx');
  };

  it('keep the inputs and outputs of the file, with the weights changed', async () => {
    const { model, changed } = mergedModel(task, parameters);
    const path = folder('merged');
    saveChanged(model, task.original, path, changed);
    expect(names(loadModel(path))).toEqual(names(task.original));
    expect(largestDifference(await measureFile(task, path, 'logits'), own)).toBeLessThan(1e-3);
  });

  it('keep them with the adapter as nodes', async () => {
    const path = folder('dynamic');
    saveModel(dynamicModel(task, parameters), path);
    expect(names(loadModel(path))).toEqual(names(task.original));
    expect(largestDifference(await measureFile(task, path, 'logits'), own)).toBeLessThan(1e-4);
  });

  it('have them before the adapter as inputs', async () => {
    const { model, values } = adapterInputsModel(task, parameters);
    const path = folder('inputs');
    saveModel(model, path);
    const [inputs, outputs] = names(task.original);
    expect(names(loadModel(path))).toEqual([[...inputs, ...values.keys()], outputs]);
    const feeds = Object.fromEntries([...values].map(([k, t]) => [k, { dtype: DType.float, ...t }]));
    expect(largestDifference(await measureFile(task, path, 'logits', feeds), own)).toBeLessThan(1e-4);
  });

  it('have a new head on the hidden states', async () => {
    const model = loadModel(lab.path('model.onnx'));
    const hidden = model.graph.nodes.find((n) => n.outputs[0] === 'logits')!.inputs[0];
    model.graph.outputs.push({ name: hidden, dtype: DType.float, shape: ['batch', 'sequence', 128] });
    saveModel(model, lab.path('hidden.onnx'));
    const texts = ['a game', 'a library', 'the puzzle', 'one more tool'].map((text, i) => ({
      text,
      label: i % 2 ? 'a' : 'b',
    }));
    lab.write('texts.jsonl', texts.map((row) => JSON.stringify(row)).join('\n'));
    const classify = loadExperiment(lab.experiment, [
      'model.path=hidden.onnx',
      `model.output=${hidden}`,
      'task={"type":"text-classification","head":"linear","pooling":"mean"}',
      'adapter.targetModules=["q_proj","down_proj"]',
      'data={"train":"texts.jsonl","validation":"texts.jsonl"}',
    ]);
    const headed = await prepareTask(classify, lab.path('headed'));
    const values = perturbed(initialParameters(headed), 6);
    const trained = await measureTask(headed, values, lab.path('headed-own'));
    const { model: merged, changed } = mergedModel(headed, values);
    const [inPlace, asNodes] = [folder('headed-merged'), folder('headed-dynamic')];
    saveChanged(merged, headed.original, inPlace, changed);
    saveModel(dynamicModel(headed, values), asNodes);
    for (const path of [inPlace, asNodes]) {
      expect(names(loadModel(path))[0]).toEqual(names(headed.original)[0]);
      const measured = await measureFile(headed, path, logitsName(headed));
      expect(largestDifference(measured, trained)).toBeLessThan(1e-4);
    }
  });

  it.each([
    ['change the weights of both decoders of one file', 'reference/more/past-merged'],
    ['change the weights beside fused operators, which keep their cache', 'fused/llama-cached'],
  ])('%s', async (_, model) => {
    const { task: two, values } = perturbedTask(model);
    const path = folder(`${model}-merged`);
    const merged = mergedModel(two, values);
    saveChanged(merged.model, two.original, path, merged.changed);
    await expectTrained(two, path);
  });

  it('have adapters as nodes beside fused operators, which keep their cache', async () => {
    const { task: fused, values } = perturbedTask('fused/llama-cached');
    const path = folder('fused-dynamic');
    saveModel(dynamicModel(fused, values), path);
    const kinds = loadModel(path).graph.nodes.map((n) => n.opType);
    expect(kinds.filter((kind) => kind === 'GroupQueryAttention')).toHaveLength(2);
    await expectTrained(fused, path);
  });

  /** A task on a decoder in the fixtures, with adapters that change something. */
  function perturbedTask(model: string) {
    copyFileSync(resolve(`test/fixtures/${model}.onnx`), lab.path('two.onnx'));
    const set = ['model.path=two.onnx', 'adapter.targetModules=["q_proj"]'];
    const spec = loadExperiment(lab.experiment, set);
    const { original, model: prepared, adapters, layers } = adaptModel(spec);
    const values = perturbed(initialAdapters(adapters, 1), 5);
    const graph = { output: 'logits' };
    return { task: { spec, original, model: prepared, adapters, layers, graph } as unknown as Task, values };
  }

  /** The file has the form of the original, other logits, and the same ones with and without a cache. */
  async function expectTrained({ original }: Task, path: string): Promise<void> {
    expect(names(loadModel(path))).toEqual(names(original));
    const [before, after] = [await lastLogits(lab.path('two.onnx')), await lastLogits(path)];
    for (const [i, whole] of after.whole.entries()) {
      expect(after.cached[i]).toBeCloseTo(whole, 4);
      expect(Math.abs(whole - before.whole[i])).toBeGreaterThan(1e-5);
    }
  }
});

/** The logits after three tokens: read at once, and the third one after a cache of the others. */
async function lastLogits(path: string): Promise<{ whole: number[]; cached: number[] }> {
  const session = await openSession(path);
  const { graph } = loadModel(path);
  const run = async (ids: bigint[], before: number, more: HostTensors) => {
    const integers = (data: bigint[]) => ({
      dtype: DType.int64,
      dims: [1, data.length],
      data: BigInt64Array.from(data),
    });
    const mask = new Array<bigint>(before + ids.length).fill(1n);
    const feeds = {
      ...emptyPast(graph, 1),
      input_ids: integers(ids),
      attention_mask: integers(mask),
      ...more,
    };
    const out = await session.run(feeds);
    return { out, last: Array.from(out.logits.data as Float32Array).slice(-out.logits.dims[2]) };
  };
  const [first, { last: whole }] = [await run([5n, 9n], 0, {}), await run([5n, 9n, 3n], 0, {})];
  const past = cacheInputs(graph).map(({ input, present }) => [input.name, first.out[present]] as const);
  const choice = { dtype: DType.bool, dims: [1], data: Uint8Array.of(1) };
  const { last: cached } = await run([3n], 2, { ...Object.fromEntries(past), use_cache_branch: choice });
  await session.dispose();
  return { whole, cached };
}
