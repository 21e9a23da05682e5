import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelSource } from '../src/architectures/model-source';
import type { HostTensors, StepResult } from '../src/engine/stepper';
import { openTask } from '../src/engine/open-task';
import { CPU, type Place } from '../src/engine/place';
import type { FixedGraph } from '../src/graph/sizes/sizes';
import { LABELS } from '../src/tasks/task-graph';
import { nodeWork, sum } from '../src/checks/cost/step-work';
import { evaluationGraph, fixedModel, stepGraph } from '../src/checks/cost/step-graph';
import { defaultTokens, type Pass, type Purpose } from '../src/training/micro-batch/default-parts';
import { AdamW } from '../src/training/optimizer/optimizer';
import { quantizeModel } from '../src/quantize/quantize';
import type { BenchCase } from './case';
import { answerCommands } from './commands';
import { caseInputs, openCase, readCase, type OpenedCase } from './open-case';

/**
 * AuroRA Lab's side of the benchmark. Usage: step CASE THREADS [ENGINE:DEVICE [WAY]], where WAY is "default",
 * "whole" (the batch at once), "checkpointing", "mixed", "int8", "8-bit" or "4-bit" (of its weights), or the size of a micro-batch. Its commands are
 * "step" and "evaluate".
 */
async function main(path: string, threads: number, place: Place, way: string): Promise<void> {
  const c = readCase(path);
  const folder = mkdtempSync(join(dirname(path), 'step-'));
  const source = inWay(join(dirname(path), c.model), way, folder);
  const opened = await openCase(c, path, folder, source);
  const { model, infos, spec } = opened;
  const { stepper } = await openTask(model, infos, spec, folder, {
    threads,
    place,
    gradientCheckpointing: way === 'checkpointing',
    precision: precisionOf(way),
  });
  const parameters = new Map(
    Object.entries(c.trainable).map(([name, t]) => [name, Float32Array.from(t.data)]),
  );
  const { lr, betas, eps, weightDecay } = c.adamw;
  const optimizer = new AdamW([{ names: [...parameters.keys()], lr, weightDecay }], { betas, epsilon: eps });
  const inputs = caseInputs(c);
  const partsOf = (pass: Pass) => split(inputs, examplesAtOnce(pass, opened, c, place, way));
  const parts = { step: partsOf('step'), evaluation: partsOf('evaluation') };

  const commands = {
    async step() {
      const whole: StepResult = { lossSum: 0, count: 0, gradients: new Map() };
      for (const part of parts.step)
        add(whole, await stepper.step(part, parameters, 1 / c.labels.data.length));
      optimizer.step(parameters, whole.gradients, 1);
      return { loss: whole.lossSum / whole.count };
    },
    async evaluate() {
      let [lossSum, count] = [0, 0];
      for (const part of parts.evaluation) {
        const sums = await stepper.evaluate(part, parameters);
        lossSum += sums.lossSum;
        count += sums.count;
      }
      return { loss: lossSum / count };
    },
  };
  await answerCommands(commands, way === 'default' ? flopsOf(opened, inputs) : {});
  await stepper.dispose();
}

const precisionOf = (way: string): Purpose['precision'] =>
  way === 'mixed' || way === 'int8' ? way : 'float32';

function examplesAtOnce(
  pass: Pass,
  { infos, spec }: OpenedCase,
  c: BenchCase,
  { device }: Place,
  way: string,
): number {
  if (/^\d+$/.test(way)) return Number(way);
  const [batch, length] = c.inputs.input_ids.dims;
  const isDefault = device === 'cpu' && (way === 'default' || way === 'int8');
  return isDefault
    ? Math.min(
        batch,
        defaultTokens(
          { pass, precision: precisionOf(way) },
          { adapters: spec.adapters, infos },
          batch,
          length,
        ) / length,
      )
    : batch;
}

/** Operations of the products that a step and an evaluation need. */
function flopsOf({ model, spec }: OpenedCase, inputs: HostTensors) {
  const sizes = new Map(
    model.graph.inputs.map(({ name }) => [name, [...inputs[name].dims]] as [string, number[]]),
  );
  const fixed = fixedModel(model, sizes);
  const flops = (graph: FixedGraph) => sum(nodeWork(graph).map((work) => work.flops));
  return {
    flops: {
      step: flops(stepGraph(fixed, spec, sizes)),
      evaluate: flops(evaluationGraph(fixed, spec, sizes)),
    },
  };
}

/** The model's file, with quantized weights if the way says so. */
function inWay(source: string, way: string, folder: string): string {
  const bits = /^([48])-bit$/.exec(way)?.[1];
  if (bits === undefined) return source;
  const out = join(folder, 'quantized', 'model.onnx');
  quantizeModel(modelSource(source), out, { bits: Number(bits) as 4 | 8, blockSize: 32, symmetric: true });
  return out;
}

/** The batch split into batches of a few examples each. */
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
const [path, threads, place, way = 'default'] = process.argv.slice(2);
main(path, Number(threads), parsePlace(place), way).catch((e: Error) => {
  // A missing device is a valid result, not a failure of the benchmark.
  process.stdout.write(`${JSON.stringify({ ready: false, problem: e.message })}\n`, () => process.exit(1));
});
