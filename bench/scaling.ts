import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import { probe } from '../src/engine/onnxruntime/probe';
import { openTask } from '../src/engine/open-task';
import { DType } from '../src/graph/dtype';
import type { HostTensors } from '../src/graph/tensor-infos';
import { findLinearLayers } from '../src/graph/layers/linear';
import { prepareModel } from '../src/graph/prepare';
import type { MachineRates } from '../src/protocol/step-cost';
import { HEAD_BIAS, HEAD_WEIGHT } from '../src/tasks/head';
import { LABELS } from '../src/tasks/task-graph';
import { measureRates } from '../src/checks/cost/measure-rates';
import { fixedModel, stepGraph } from '../src/checks/cost/step-graph';
import { stepTime } from '../src/checks/cost/step-work';
import { TIMED_ADAPTER } from '../src/checks/doctor/place-rates';
import { encoderModel } from '../src/checks/doctor/encoder';
import { AdamW } from '../src/training/optimizer/optimizer';
import { initialAdapters, initialHead } from '../src/training/task/initialize';

interface Setting {
  layers: number;
  hidden: number;
  batch: number;
  length: number;
  rank: number;
  /** Adapted layers, from the lowest; all query and value layers if omitted. */
  adapters?: number;
}

const BASE: Setting = { layers: 4, hidden: 128, batch: 8, length: 32, rank: 2 };
/** The varied quantities and their sizes; the rest is as above, or smaller where the largest would take too long. */
const AXES: Record<string, Setting[]> = {
  width: [32, 64, 128, 256, 512].map((hidden) => ({ ...BASE, hidden })),
  depth: [1, 2, 4, 8, 16, 32].map((layers) => ({ ...BASE, layers })),
  length: [4, 16, 64, 256, 512].map((length) => ({ ...BASE, length, batch: 4 })),
  batch: [1, 4, 16, 64, 128].map((batch) => ({ ...BASE, batch })),
  rank: [1, 4, 16, 64, 128].map((rank) => ({ ...BASE, rank })),
  adapters: [1, 3, 10, 30, 96].map((adapters) => ({ ...BASE, layers: 16, hidden: 64, adapters })),
};
const CLASSES = 2;
const WARM_UP = 2;

/** An encoder's step that can be repeated, and what its graph predicts. */
async function openStep(setting: Setting, folder: string, threads: number, rates: MachineRates) {
  const { layers, hidden, batch, length, rank } = setting;
  const size = { layers, hidden, heads: 4, feedForward: 4 * hidden, vocabulary: 128, positions: 512 };
  const model = prepareModel(encoderModel(size));
  const linear = findLinearLayers(model.graph);
  const own = setting.adapters && { targetModules: linear.slice(0, setting.adapters).map((l) => l.path) };
  const { adapters } = selectAdapters(model.graph, linear, { ...TIMED_ADAPTER, rank, ...own });
  const head = { pooling: 'mean' as const, classes: CLASSES, weight: HEAD_WEIGHT, bias: HEAD_BIAS };
  const spec = { objective: 'cross-entropy' as const, head, output: 'last_hidden_state', adapters };
  const sizes = new Map(['input_ids', 'attention_mask'].map((name) => [name, [batch, length]]));
  const { flops, seconds } = stepTime(stepGraph(fixedModel(model, sizes), spec, sizes), rates);
  const { stepper } = await openTask(model, await probe(model, folder), spec, join(folder, 'step'), {
    threads,
  });
  const parameters = new Map([...initialAdapters(adapters, 0), ...initialHead(CLASSES, hidden, 0)]);
  const optimizer = new AdamW([{ names: [...parameters.keys()], lr: 1e-3, weightDecay: 0 }], {
    betas: [0.9, 0.999],
    epsilon: 1e-8,
  });
  const inputs: HostTensors = {
    input_ids: integers([batch, length], (i) => (i * 7919) % size.vocabulary),
    attention_mask: integers([batch, length], () => 1),
    [LABELS]: integers([batch], (i) => i % CLASSES),
  };
  return {
    flops,
    estimate: seconds * 1000,
    async milliseconds() {
      const start = performance.now();
      const { gradients } = await stepper.step(inputs, parameters, 1 / batch);
      optimizer.step(parameters, gradients, 1);
      return performance.now() - start;
    },
    dispose: () => stepper.dispose(),
  };
}

const integers = (dims: number[], value: (i: number) => number) => ({
  dtype: DType.int64,
  dims,
  data: BigInt64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => BigInt(value(i))),
});

/**
 * Usage: scaling AXIS THREADS ROUNDS. Prints one line of JSON: for each size of the axis, the FLOPs of a step's products, the
 * time that `aurora inspect` would estimate, and the measured ones. Sizes take turns, so that other load on the machine
 * changes all of them in a round.
 */
async function main(axis: string, threads: number, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-scaling-'));
  try {
    const rates = await measureRates(join(folder, 'rates'), threads);
    const points = [];
    for (const [i, setting] of AXES[axis].entries()) {
      const size =
        setting[axis === 'width' ? 'hidden' : axis === 'depth' ? 'layers' : (axis as keyof Setting)];
      const step = await openStep(setting, join(folder, `${i}`), threads, rates);
      points.push({ size, step, times: [] as number[] });
    }
    for (let round = -WARM_UP; round < rounds; round++)
      for (const { step, times } of points) {
        const ms = await step.milliseconds();
        if (round >= 0) times.push(ms);
      }
    const line = points.map(({ size, step: { flops, estimate }, times }) => ({
      size,
      flops,
      estimate,
      times,
    }));
    process.stdout.write(`${JSON.stringify(line)}\n`);
    for (const { step } of points) await step.dispose();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [axis, threads, rounds] = process.argv.slice(2);
main(axis, Number(threads), Number(rounds)).catch((e: unknown) => {
  console.error(e);
  process.exit(1);
});
