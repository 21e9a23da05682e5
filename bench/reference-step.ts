import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReferenceCase } from '../src/cli/commands/reference/case';
import { caseFeeds, caseParameters, caseTask, shapesOf } from '../src/cli/commands/reference/model-case';
import { openTask } from '../src/engine/open-task';
import { probe } from '../src/engine/onnxruntime/probe';
import type { StepResult, TaskOptions } from '../src/engine/stepper';
import { loadModelFrom } from '../src/architectures/load';
import { modelSource } from '../src/architectures/model-source';
import { loadModel } from '../src/graph/file/load';
import { prepareModel } from '../src/graph/prepare';
import { quantizedCopy } from '../src/quantize/cached';
import { LossScale, withLossScale } from '../src/training/optimizer/loss-scale';

/**
 * The result of one step on a reference file's model; in mixed precision as in a run, with the loss scaled. Int8 is judged
 * on the case itself.
 *
 * @param copies a folder for a copy of the model whose weights are stored in int8, which the step is on then
 */
export async function referenceStep(
  modelPath: string,
  c: ReferenceCase,
  options: TaskOptions,
  copies?: string,
): Promise<StepResult & { warnings: readonly string[] }> {
  const source = modelSource(modelPath);
  const original = prepareModel(loadModelFrom(source));
  const shapes = [shapesOf(c.inputs)];
  const judged = {
    model: original,
    infos: await probe(original, undefined, shapes),
    graph: caseTask(original, c),
  };
  const model =
    copies === undefined ? original : prepareModel(loadModel(quantizedCopy(source, 'int8', copies)));
  const { infos, graph: spec } =
    copies === undefined
      ? judged
      : { infos: await probe(model, undefined, shapes), graph: caseTask(model, c) };
  const inputs = caseFeeds(model, c, c);
  const parameters = caseParameters(c);
  const folder = mkdtempSync(join(tmpdir(), 'aurora-reference-'));
  try {
    const { stepper, warnings = [] } = await openTask(model, infos, spec, join(folder, 'step'), {
      judgedBatch: () =>
        Promise.resolve({ inputs, parameters, ...(copies !== undefined && { original: judged }) }),
      ...options,
    });
    const { count } = await stepper.evaluate(inputs, parameters);
    const run = options.precision === 'mixed' ? withLossScale(stepper, new LossScale()) : stepper;
    const result = await run.step(inputs, parameters, 1 / count);
    await stepper.dispose();
    return { ...result, warnings };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface StepDifference {
  /** Relative difference of the losses. */
  loss: number;
  /** ‖g − g′‖ / ‖g‖ over all gradients together. */
  gradient: number;
  /** The difference in the worst tensor, among those with at least a hundredth of the whole norm. */
  worstTensor: number;
}

export function stepDifference(a: StepResult, b: StepResult): StepDifference {
  const tensors = [...a.gradients].map(([name, x]) => {
    const y = b.gradients.get(name)!;
    const squares = x.reduce((s, v) => s + v * v, 0);
    return { squares, error: x.reduce((s, v, i) => s + (v - y[i]) ** 2, 0) };
  });
  const sum = (of: (t: (typeof tensors)[number]) => number) => tensors.reduce((s, t) => s + of(t), 0);
  const norm = sum((t) => t.squares);
  const large = tensors.filter((t) => t.squares >= norm / 1e4);
  return {
    loss: Math.abs(a.lossSum - b.lossSum) / Math.abs(a.lossSum),
    gradient: Math.sqrt(sum((t) => t.error) / norm),
    worstTensor: Math.sqrt(Math.max(...large.map((t) => t.error / t.squares))),
  };
}
