import { mkdtempSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import type { HostTensors } from '../src/engine/engine';
import type { StepResult } from '../src/engine/stepper';
import { probe } from '../src/engine/onnxruntime/probe';
import { openTask } from '../src/engine/open';
import { CPU, type Place } from '../src/engine/place';
import { LABELS } from '../src/tasks/task-graph';
import { DType } from '../src/graph/dtype';
import { findLinearLayers } from '../src/graph/layers/linear';
import { loadModel } from '../src/graph/file/load';
import { prepareModel } from '../src/graph/prepare';
import { AdamW } from '../src/trainer/optimizer/optimizer';
import { quantizeModel } from '../src/trainer/quantize/quantize';
import { HEAD, type BenchCase, type DenseArray } from './case';
import { answerCommands } from './commands';

/**
 * AuroRA Lab's side of the benchmark. Usage: step CASE THREADS [ENGINE:DEVICE [WAY]], where WAY is "whole",
 * "checkpointing", "mixed", "int8", "8-bit" or "4-bit" (of its weights), or the size of a micro-batch. Its commands are
 * "step" and "evaluate".
 */
async function main(path: string, threads: number, place: Place, way: string): Promise<void> {
  const c = JSON.parse(readFileSync(path, 'utf8')) as BenchCase;
  const folder = mkdtempSync(join(dirname(path), 'step-'));
  const model = prepareModel(loadModel(inWay(join(dirname(path), c.model), way, folder)));
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), c.adapter);
  const infos = await probe(model, folder);
  const { stepper } = await openTask(
    model,
    infos,
    {
      objective: 'cross-entropy',
      head: { pooling: c.pooling, ...HEAD },
      output: 'last_hidden_state',
      adapters,
    },
    folder,
    {
      threads,
      place,
      gradientCheckpointing: way === 'checkpointing',
      precision: way === 'mixed' || way === 'int8' ? way : 'float32',
    },
  );
  const parameters = new Map(
    Object.entries(c.trainable).map(([name, t]) => [name, Float32Array.from(t.data)]),
  );
  const { lr, betas, eps, weightDecay } = c.adamw;
  const optimizer = new AdamW([{ names: [...parameters.keys()], lr, weightDecay }], { betas, epsilon: eps });
  const inputs: HostTensors = { [LABELS]: int64(c.labels) };
  for (const [name, t] of Object.entries(c.inputs)) inputs[name] = int64(t);
  const parts = /^\d+$/.test(way) ? split(inputs, Number(way)) : [inputs];

  await answerCommands({
    async step() {
      const whole: StepResult = { lossSum: 0, count: 0, gradients: new Map() };
      for (const part of parts) add(whole, await stepper.step(part, parameters, 1 / c.labels.data.length));
      optimizer.step(parameters, whole.gradients, 1);
      return { loss: whole.lossSum / whole.count };
    },
    async evaluate() {
      const { lossSum, count } = await stepper.evaluate(inputs, parameters);
      return { loss: lossSum / count };
    },
  });
  await stepper.dispose();
}

/** The model's file, with quantized weights if the way says so. */
function inWay(source: string, way: string, folder: string): string {
  const bits = /^([48])-bit$/.exec(way)?.[1];
  if (bits === undefined) return source;
  const out = join(folder, 'quantized', 'model.onnx');
  quantizeModel(source, out, { bits: Number(bits) as 4 | 8, blockSize: 32, symmetric: true });
  return out;
}

const int64 = (t: DenseArray) => ({
  dtype: DType.int64,
  dims: t.dims,
  data: BigInt64Array.from(t.data, BigInt),
});

/** The same batch split into batches of a few examples each. */
function split(inputs: HostTensors, examples: number): HostTensors[] {
  const batch = inputs[LABELS].dims[0];
  return Array.from({ length: Math.ceil(batch / examples) }, (_, i) => {
    const part: HostTensors = {};
    for (const [name, { dtype, dims, data }] of Object.entries(inputs)) {
      const each = data.length / batch;
      const cut = data.slice(i * examples * each, (i + 1) * examples * each);
      part[name] = { dtype, dims: [cut.length / each, ...dims.slice(1)], data: cut };
    }
    return part;
  });
}

function add(whole: StepResult, part: StepResult): void {
  whole.lossSum += part.lossSum;
  whole.count += part.count;
  for (const [name, gradient] of part.gradients) {
    const sum = whole.gradients.get(name);
    if (!sum) whole.gradients.set(name, gradient);
    else gradient.forEach((g, i) => (sum[i] += g));
  }
}

function parsePlace(text: string | undefined): Place {
  const [engine, device] = text?.split(':') ?? [CPU.engine, CPU.device];
  return { engine, device } as Place;
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [path, threads, place, way = 'whole'] = process.argv.slice(2);
main(path, Number(threads), parsePlace(place), way).catch((e: Error) => {
  // A missing device is a valid result, not a failure of the benchmark.
  process.stdout.write(`${JSON.stringify({ ready: false, problem: e.message })}\n`, () => process.exit(1));
});
