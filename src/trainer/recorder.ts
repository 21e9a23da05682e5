import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Stepper } from '../engine/stepper';
import { writeAtomic } from '../graph/files';
import { runPaths, stepName } from '../runs/layout';
import { encodeSnapshot } from '../shared/activations';
import { LayerRecorder } from './snapshot';
import type { Task } from './task';

/** Validation examples that a snapshot looks at. */
const EXAMPLES = 64;

/** Writes activation snapshots: always of the same validation examples, so that they can be compared over time. */
export class ActivationRecorder {
  private readonly indices: number[];

  constructor(
    private readonly task: Task,
    private readonly run: string,
  ) {
    const { examples } = task.data.validation.dataset;
    this.indices = examples.slice(0, EXAMPLES).map((_, i) => i);
  }

  /** Says which data rows the snapshots' example ids are, and their tokens. */
  writeExamples(): void {
    const { path, rows, dataset } = this.task.data.validation;
    const examples = this.indices.map((i) => {
      const { row, ids } = dataset.examples[i];
      return { line: rows[row].line, ids: [...ids] };
    });
    const folder = runPaths(this.run).activations;
    mkdirSync(folder, { recursive: true });
    writeAtomic(join(folder, 'examples.json'), `${JSON.stringify({ file: path, examples })}\n`);
  }

  /** @returns the snapshot's path relative to the run folder; undefined where there is no adapter to look at */
  async record(
    step: number,
    stepper: Stepper,
    parameters: ReadonlyMap<string, Float32Array>,
  ): Promise<string | undefined> {
    const { adapters, data, spec } = this.task;
    if (adapters.length === 0) return undefined;
    const recorders = new Map(adapters.map((a) => [a.layer.path, new LayerRecorder(a)]));
    for (let at = 0; at < this.indices.length; at += spec.training.batchSize) {
      const batch = this.indices.slice(at, at + spec.training.batchSize);
      const inputs = this.task.feeds(data.validation.dataset, batch);
      const { observed } = await stepper.evaluate(inputs, parameters, true);
      for (const [path, calls] of observed)
        for (const z of calls) recorders.get(path)!.add(z, batch, inputs.attention_mask);
    }
    const file = join(runPaths(this.run).activations, `${stepName(step)}.bin`);
    writeAtomic(
      file,
      encodeSnapshot({ step, layers: [...recorders.values()].map((r) => r.finish(parameters)) }),
    );
    return relative(this.run, file);
  }
}
