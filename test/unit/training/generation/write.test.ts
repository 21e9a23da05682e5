import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CPU } from '../../../../src/engine/place';
import { openEvaluator } from '../../../../src/engine/open-task';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { IGNORE_LABEL } from '../../../../src/tasks/objective';
import type { Writing } from '../../../../src/tasks/kind';
import { nextTokens, write, type Next } from '../../../../src/training/generation/writer';
import { MicroBatches } from '../../../../src/training/micro-batch/micro-batches';
import { initialParameters, prepareTask } from '../../../../src/training/task/task';
import { Lab } from '../../../cli/lab';

const FIXTURE = resolve('test/fixtures/playground/language');
/** Texts that transformers writes greedily. */
const greedy = JSON.parse(readFileSync(join(FIXTURE, 'greedy.json'), 'utf8')) as {
  ids: number[];
  base: { tokens: number[]; ended: string };
}[];
const END = 0;

const lab = new Lab({
  task: { type: 'multiple-choice', head: 'none' },
  model: { maxLength: 96 },
  adapter: { method: 'lora', targetModules: ['c_attn'] },
});
afterAll(() => lab.remove());
for (const name of ['model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'config.json'])
  lab.write(name, readFileSync(join(FIXTURE, name)));
for (const name of ['train.jsonl', 'validation.jsonl'])
  lab.write(name, '{"question":"a","choices":["b","c"],"answer":1}\n');

// A new LoRA adapter changes nothing.
const task = await prepareTask(loadExperiment(lab.experiment, []), lab.path('graph'));
const evaluator = await openEvaluator(task.model, task.infos, task.graph, lab.path('evaluator'));
afterAll(() => evaluator.dispose());
const micro = new MicroBatches(task, evaluator, CPU, () => undefined);
const { dataset } = task.data.validation;
const next = nextTokens(evaluator, task, micro, dataset, initialParameters(task));

const writing = (prompt: number[], maxTokens: number, beams: number): Writing => ({
  prompt,
  maxTokens,
  beams,
  ends: new Set([END]),
  example: (ids) => ({
    ...{ size: ids.length, ids: Int32Array.from(ids), row: 0 },
    targets: new Int32Array(ids.length).fill(IGNORE_LABEL),
  }),
  keep: () => [],
});

describe('writing', () => {
  it('gives the tokens of transformers, for prompts of different lengths side by side', async () => {
    const most = Math.max(...greedy.map(({ base }) => base.tokens.length));
    const writings = greedy.map(({ ids }) => writing(ids, most, 1));
    const texts = await write(writings, greedy.length, next);
    greedy.forEach(({ base }, i) => expect(texts[i].slice(0, base.tokens.length)).toEqual(base.tokens));
    expect(greedy.some(({ base }, i) => base.ended === 'end' && texts[i].length < most)).toBe(true);
    expect(await write(writings, 1, next)).toEqual(texts);
  });

  it('finds texts with beams that are at least as likely, in any batches', async () => {
    // Nothing that the model has learned, so that it is not sure.
    const prompts = [[20], [30, 40], [50, 60, 70], [90, 20, 91, 33], [131, 7]];
    const [one, four] = [1, 4].map((beams) => prompts.map((ids) => writing(ids, 8, beams)));
    const [alone, beams] = [await write(one, 16, next), await write(four, 16, next)];
    expect(await write(four, 3, next)).toEqual(beams);
    const [a, b] = [await meanLogProbability(prompts, alone), await meanLogProbability(prompts, beams)];
    a.forEach((mean, i) => expect(b[i]).toBeGreaterThanOrEqual(mean - 1e-5));
    expect(beams).not.toEqual(alone);
  });
});

/** The mean over each text's new tokens and, if it is shorter than 8, its end. */
async function meanLogProbability(prompts: number[][], texts: readonly (readonly number[])[]) {
  const means: number[] = [];
  for (const [i, prompt] of prompts.entries()) {
    const made = texts[i].length < 8 ? [...texts[i], END] : texts[i];
    let sum = 0;
    for (const [t, token] of made.entries()) {
      const [logits] = await single(next, [...prompt, ...made.slice(0, t)]);
      const largest = Math.max(...logits);
      sum += logits[token] - largest - Math.log(logits.reduce((s, v) => s + Math.exp(v - largest), 0));
    }
    means.push(sum / made.length);
  }
  return means;
}

const single = (run: Next, ids: number[]) => run([writing(ids, 1, 1).example(ids)]);
