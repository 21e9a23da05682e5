import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { openEvaluator } from '../../../../src/engine/open-task';
import type { Evaluator } from '../../../../src/engine/stepper';
import { CPU } from '../../../../src/engine/place';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import type { Writing } from '../../../../src/tasks/kind';
import { nextTokens, write, groups, openWriter } from '../../../../src/training/generation/writer';
import { MicroBatches } from '../../../../src/training/micro-batch/micro-batches';
import { initialParameters, prepareTask } from '../../../../src/training/task/task';
import { perturbed } from '../../../../src/training/task/initialize';
import { languageLab } from './language-lab';
import { writing } from './writing';

/** PyTorch's results with 4 beams. */
const found = JSON.parse(readFileSync(resolve('test/fixtures/past/beams.json'), 'utf8')) as {
  prompt: number[];
  tokens: number[];
}[];

const lab = languageLab();
afterAll(() => lab.remove());
const task = await prepareTask(loadExperiment(lab.experiment, []), lab.path('graph'));
const evaluator = await openEvaluator(task.model, task.infos, task.graph, lab.path('evaluator'));
afterAll(() => evaluator.dispose());
const micro = new MicroBatches(task, evaluator, CPU, () => undefined);
const { dataset } = task.data.validation;
const initial = initialParameters(task);
// Adapters that change the texts.
const trained = perturbed(initial, 3);

async function cached(writings: readonly Writing[], parameters = trained, by = evaluator) {
  const writer = await openWriter(by, task, micro, dataset, parameters);
  try {
    return await writer.write(writings);
  } finally {
    await writer.dispose();
  }
}

describe('writing with a key/value cache', () => {
  it('finds the texts of beam search in PyTorch', async () => {
    const texts = await cached(
      found.map(({ prompt }) => writing(prompt, 32, 4)),
      initial,
    );
    expect(texts).toEqual(found.map(({ tokens }) => tokens));
  });

  it.each([1, 4])('gives the texts that the model gives without it, with %s beams', async (beams) => {
    const writings = found.slice(0, 6).map(({ prompt }) => writing(prompt, 8, beams));
    const again = nextTokens(evaluator, task, micro, dataset, trained);
    const texts = await cached(writings);
    expect(texts).toEqual(await write(writings, 24, again));
    // The adapters are part of the model, and a prompt may be a single token.
    expect(texts).not.toEqual(await cached(writings, initial));
    const alone = [writing([0], 8, beams), writings[3]];
    expect(await cached(alone)).toEqual(await write(alone, 8, again));
  });

  it('falls back to reading the whole text if there is no memory for the cache', async () => {
    let asked = 0;
    const full: Evaluator = {
      ...evaluator,
      openGraph: () => Promise.reject(new AuroraError('memory', `Asked ${++asked} times.`)),
    };
    const writings = [writing(found[0].prompt, 3, 1)];
    expect(await cached(writings, trained, full)).toEqual(await cached(writings));
    expect(asked).toBe(1);
  });
});

describe('texts that are written side by side', () => {
  const [a, b, c] = [
    [1, 2],
    [1, 2, 3],
    [3, 4],
  ].map((prompt) => writing(prompt, 4, 2));

  it('have as many beams as the batch size, and any lengths', () => {
    expect(groups([a, b, c], 4, true)).toEqual([[0, 1], [2]]);
    expect(groups([a, b, c], 1, true)).toEqual([[0], [1], [2]]);
  });

  it('are equally long where the model does not take positions', () => {
    expect(groups([a, b, c], 4, false)).toEqual([[0, 2], [1]]);
  });
});
