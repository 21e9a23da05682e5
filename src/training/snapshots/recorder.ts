import { join, relative } from 'node:path';
import { firstExamples } from '../../data/order';
import type { HostTensor, EvaluationResult, Evaluator } from '../../engine/stepper';
import { writeAtomic } from '../../files/atomic';
import { runPaths, stepName } from '../../runs/layout';
import type { ActivationExample, ActivationExamples } from '../../protocol/activation-examples';
import { encodeSnapshot, type LayerSnapshot } from '../../protocol/activations';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Part } from '../micro-batch/parts';
import { methodOf } from '../../adapters/methods/registry';
import { isRanked } from '../../experiment/methods';
import { LayerRecorder } from './snapshot';
import type { Task } from '../task/task';

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
          out.push({ observed, part, mask: inputs.attention_mask });
        }
        return out;
      });
      for (const { observed, part, mask } of seen)
        for (const [path, calls] of observed)
          for (const z of calls) recorders.get(path)?.add(z, part.indices, mask);
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
          ? [[a.layer.path, new LayerRecorder(a, spec.rank)] as const]
          : [];
      }),
    );
  }
}
