import { join, relative } from 'node:path';
import { ownValues } from '../adapters/merge';
import { methodOf } from '../adapters/methods/registry';
import { gridStep, splineSupport } from '../adapters/methods/spline';
import type { LayerAdapter } from '../adapters/targets/select';
import { random, Stream } from '../base/random';
import { firstExamples } from '../data/row-order';
import type { EvaluationResult, Evaluator } from '../engine/stepper';
import { isNonlinear, isRanked } from '../experiment/methods';
import { writeAtomic } from '../files/atomic';
import type { HostTensor, TensorInfos } from '../graph/tensor-infos';
import type { ActivationExample, ActivationExamples } from '../protocol/activation-examples';
import { encodeSnapshot, type LayerSnapshot, NO_SAMPLE, SAMPLES_PER_BIN } from '../protocol/activations';
import { runPaths, stepName } from '../runs/layout';
import { maskInput } from '../tasks/head';
import { batchRows } from './batch-rows';
import type { Part } from './micro-batch/default-parts';
import type { MicroBatches } from './micro-batch/micro-batches';
import type { Task } from './task/task';

/** Number of validation examples in a snapshot. */
export const SNAPSHOT_EXAMPLES = 64;
/** Writes activation snapshots, always of the same validation examples, so that they can be compared over time. */
export class ActivationRecorder {
  private readonly indices: number[];

  constructor(
    private readonly task: Task,
    private readonly run: string,
  ) {
    this.indices = firstExamples(task.data.validation.dataset, SNAPSHOT_EXAMPLES);
  }

  /** True if there is an adapter to observe. */
  get observes(): boolean {
    return this.layerRecorders().size > 0;
  }

  /** Records which data rows the snapshots' example ids are, and where their tokens are in them. */
  async writeExamples(): Promise<void> {
    const { data, kind } = this.task;
    const { validation } = data;
    const examples: ActivationExample[] = [];
    for (const i of this.indices) examples.push(await kind.shown(data, validation, i));
    const folder = runPaths(this.run).activations;
    const { path: file, parts } = validation;
    const content: ActivationExamples = { file, ...(parts && { parts: [...parts] }), examples };
    writeAtomic(join(folder, 'examples.json'), `${JSON.stringify(content)}\n`, this.run);
  }

  /** @returns the snapshot, and its path relative to the run folder; undefined without an adapter to observe */
  async record(
    step: number,
    evaluator: Evaluator,
    micro: MicroBatches,
    parameters: ReadonlyMap<string, Float32Array>,
  ): Promise<{ path: string; layers: LayerSnapshot[] } | undefined> {
    const { data, spec } = this.task;
    const recorders = this.layerRecorders();
    if (recorders.size === 0) return undefined;
    for (let at = 0; at < this.indices.length; at += spec.training.batchSize) {
      const batch = this.indices.slice(at, at + spec.training.batchSize);
      const seen = await micro.run('evaluation', data.validation.dataset, batch, async (parts) => {
        const out: { observed: EvaluationResult['observed']; part: Part; mask: HostTensor | undefined }[] =
          [];
        for (const part of parts) {
          const inputs = await this.task.feeds(data.validation.dataset, part.indices, part.length);
          const { observed } = await evaluator.evaluate(inputs, parameters, true);
          out.push({ observed, part, mask: inputs[maskInput(Object.keys(inputs)) ?? ''] });
        }
        return out;
      });
      for (const { observed, part, mask } of seen)
        for (const [path, calls] of observed)
          calls.forEach((z, nth) => recorders.get(path)?.add(z, part.indices, mask, nth));
    }
    const file = join(runPaths(this.run).activations, `${stepName(step)}.bin`);
    const layers = [...recorders.values()].map((r) => r.finish(parameters));
    writeAtomic(file, encodeSnapshot({ step, layers }), this.run);
    return { path: relative(this.run, file), layers };
  }

  private layerRecorders(): Map<string, LayerRecorder> {
    return new Map(
      this.task.adapters.flatMap((a) => {
        const { spec } = a;
        return isRanked(spec) && methodOf(spec).showsZ
          ? [[a.layer.path, new LayerRecorder(a, spec.rank, this.task.infos)] as const]
          : [];
      }),
    );
  }
}

const BINS = 64;
/** LoRA has no grid to derive it from. */
const DEFAULT_RANGE: [number, number] = [-4, 4];

/** Collects the tensors at one adapted layer, batch after batch. */
export class LayerRecorder {
  private readonly range: [number, number];
  private readonly counts: Uint32Array;
  private readonly samples: Uint32Array;
  private readonly low: number[];
  private readonly high: number[];
  private readonly outside: number[];
  private readonly support: [number, number] | undefined;
  private tokens = 0;

  /**
   * @param rank width of its z
   * @param infos of the tensors that the layer reads
   */
  constructor(
    private readonly adapter: LayerAdapter,
    private readonly rank: number,
    private readonly infos: TensorInfos,
  ) {
    this.range = histogramRange(adapter);
    this.low = new Array<number>(this.rank).fill(Infinity);
    this.high = new Array<number>(this.rank).fill(-Infinity);
    this.outside = new Array<number>(this.rank).fill(0);
    this.support = supportOf(adapter);
    this.counts = new Uint32Array(this.rank * (BINS + 2));
    this.samples = new Uint32Array(this.counts.length * SAMPLES_PER_BIN * 2).fill(NO_SAMPLE);
  }

  /**
   * @param z (batch, sequence, rank) or (sequence, batch, rank), or (batch, rank) for a layer behind pooling
   * @param examples the data row of each element of the batch
   * @param mask 1 for real tokens, (batch, sequence); undefined counts every position
   * @param nth call of the layer
   */
  add(z: HostTensor, examples: readonly number[], mask: HostTensor | undefined, nth: number): void {
    const data = z.data as Float32Array;
    const rows = data.length / this.rank;
    const positions = rows / examples.length;
    const isMasked = mask?.data.length === rows;
    const placeOf = batchRows(this.infos, this.adapter.layer.calls[nth]!.input, mask, rows);
    for (let row = 0; row < rows; row++) {
      const place = placeOf(row);
      if (isMasked && Number(mask.data[place]) === 0) continue;
      this.tokens++;
      for (let j = 0; j < this.rank; j++)
        this.count(j, data[row * this.rank + j], examples[Math.floor(place / positions)], place % positions);
    }
  }

  /**
   * Every value in a bin has the same chance of being sampled (reservoir sampling): the first ones would all come from
   * one text.
   */
  private count(coordinate: number, value: number, example: number, token: number): void {
    const [lo, hi] = this.range;
    this.low[coordinate] = Math.min(this.low[coordinate], value);
    this.high[coordinate] = Math.max(this.high[coordinate], value);
    if (this.support && (value < this.support[0] || value > this.support[1])) this.outside[coordinate]++;
    const inside = Math.floor(((value - lo) / (hi - lo)) * BINS);
    const bin = coordinate * (BINS + 2) + Math.max(0, Math.min(BINS + 1, inside + 1));
    const seen = this.counts[bin]++;
    const place = seen < SAMPLES_PER_BIN ? seen : random(0, Stream.samples, bin, seen) % (seen + 1);
    if (place >= SAMPLES_PER_BIN) return;
    const at = (bin * SAMPLES_PER_BIN + place) * 2;
    this.samples[at] = example;
    this.samples[at + 1] = token;
  }

  finish(parameters: ReadonlyMap<string, Float32Array>): LayerSnapshot {
    const own = ownValues(this.adapter, parameters);
    return {
      path: this.adapter.layer.path,
      rank: this.rank,
      range: this.range,
      bins: BINS,
      tokens: this.tokens,
      ...(this.tokens > 0 && { low: this.low, high: this.high }),
      ...(this.support && { outside: this.outside }),
      counts: this.counts,
      samples: this.samples,
      H: own.H ?? new Float32Array(),
      W: own.W ?? new Float32Array(),
    };
  }
}

/** The support of the spline; undefined without one. */
const supportOf = ({ spec }: LayerAdapter): [number, number] | undefined =>
  isNonlinear(spec) && spec.learnable ? splineSupport(spec) : undefined;

/** The spline's support plus two intervals on each side, so that values leaving it remain visible. */
function histogramRange({ spec }: LayerAdapter): [number, number] {
  if (!isNonlinear(spec)) return DEFAULT_RANGE;
  const [lo, hi] = splineSupport(spec);
  return [lo - 2 * gridStep(spec), hi + 2 * gridStep(spec)];
}
