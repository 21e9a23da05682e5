import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { openTask } from '../../../src/engine/open-task';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { LARGE_MODEL } from '../../../src/engine/onnxruntime/step-constants';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import type { Model } from '../../../src/graph/model';
import { LABELS, type TaskGraphSpec } from '../../../src/tasks/task-graph';
import { scratchFolder } from '../../scratch';
import { emptyGraph, modelOf } from '../autodiff/check';

const folder = scratchFolder('mapped');
const [SIDE, LAYERS, ROWS] = [256, 2, 3];
/** Bytes of a layer's weight and of its scales. */
const [WEIGHT, SCALES] = [SIDE * (SIDE / 2), 4 * SIDE * (SIDE / 32)];

/** A table (without content on disk) and two layers of four bits, with their weights in a file. */
function modelWith(table: number): { model: Model; path: string } {
  const path = join(folder, `weights-${table}`);
  const layers = LAYERS * (WEIGHT + SCALES);
  writeFileSync(path, Buffer.alloc(layers, 0x11));
  const file = openSync(path, 'r+');
  ftruncateSync(file, layers + table);
  closeSync(file);
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  let end = 0;
  const stored = (name: string, dtype: number, dims: number[], length: number): string => {
    const data = { path, offset: end, length };
    end += length;
    return g.addInitializer({ name, dtype, dims, data });
  };
  const parts = Array.from({ length: LAYERS }, (_, i) => [
    stored(`w${i}`, DType.uint8, [SIDE, SIDE / 32, 16], WEIGHT),
    stored(`s${i}`, DType.float, [SIDE, SIDE / 32], SCALES),
  ]);
  const rows = stored('table', DType.float, [table / 4 / SIDE, SIDE], table);
  let x = g.op('Gather', [rows, g.addInput('ids', DType.int64, ['batch'])]);
  x = g.op('Add', [x, g.addInput('more', DType.float, ['batch', SIDE])]);
  parts.forEach((part, i) => {
    const attributes = { K: SIDE, N: SIDE, bits: 4, block_size: 32 };
    const named = { domain: 'com.microsoft', name: `/layer${i}/MatMul_Q4` };
    x = g.op('MatMulNBits', [x, ...part], attributes, named);
  });
  g.op('Identity', [x], {}, { outputs: ['y'] });
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: ['batch', SIDE] });
  return {
    model: { ...modelOf(graph), opsets: new Map([...modelOf(graph).opsets, ['com.microsoft', 1]]) },
    path,
  };
}

async function opened({ model }: { model: Model }, name: string) {
  const infos = await probe(model, folder);
  const spec = { method: 'lora', rank: 2, alpha: 4, dropout: 0, targetModules: 'all-linear' } as const;
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), spec as never, 'y');
  const graph: TaskGraphSpec = { objective: 'mse', output: 'y', adapters };
  const { stepper, trainable } = await openTask(model, infos, graph, join(folder, name), { threads: 1 });
  const parameters = new Map(
    trainable.map(({ name, dims }) => [name, new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.01)]),
  );
  const values = (dims: number[]) => ({
    dtype: DType.float,
    dims,
    data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
  });
  const { dims, data } = { dims: [ROWS], data: BigInt64Array.from([0n, 1n, 2n]) };
  const inputs = {
    ids: { dtype: DType.int64, dims, data },
    more: values([ROWS, SIDE]),
    [LABELS]: values([ROWS]),
  };
  return {
    step: () => stepper.step(inputs, parameters, 1),
    evaluate: () => stepper.evaluate(inputs, parameters),
    dispose: () => stepper.dispose(),
  };
}

/** Bytes of a file's parts that this process maps, in all: a part that is mapped twice counts twice. */
function mapped(part: string): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(part))
    .reduce((sum, line) => {
      const [from, to] = line
        .split(' ')[0]
        .split('-')
        .map((x) => Number.parseInt(x, 16));
      return sum + to - from;
    }, 0);
}

describe.runIf(process.platform === 'linux')('the memory of frozen weights', () => {
  it('has each weight of four bits once in a step, which reads it forward and backward', async () => {
    const small = modelWith(4 * SIDE * 1024);
    const task = await opened(small, 'small');
    const both = mapped('0-weights-1048576');
    await task.step();
    await task.dispose();
    expect(mapped('0-weights-1048576')).toBe(0);
    const pages = 4096 * 2 * (2 * LAYERS + 1);
    // The step and the evaluation map all for themselves, and the step no part twice.
    const all = LAYERS * (WEIGHT + SCALES) + 4 * SIDE * 1024;
    expect(both).toBeGreaterThan(2 * all - 1);
    expect(both).toBeLessThan(2 * (all + pages));
  });

  it('has a large model in one session at a time, with the same numbers each time', async () => {
    const large = modelWith(LARGE_MODEL);
    const task = await opened(large, 'large');
    const name = `0-weights-${LARGE_MODEL}`;
    const first = await task.step();
    const most = 1.1 * LARGE_MODEL;
    for (const run of [task.evaluate, task.step, task.evaluate]) {
      expect(mapped(name)).toBeGreaterThan(LARGE_MODEL);
      expect(mapped(name)).toBeLessThan(most);
      await run();
    }
    expect(await task.step()).toEqual(first);
    expect(Number.isFinite(first.lossSum)).toBe(true);
    await task.dispose();
    expect(mapped(name)).toBe(0);
  });
});
