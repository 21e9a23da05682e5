import { afterAll, describe, expect, it } from 'vitest';
import { epochOrder } from '../../../../src/data/row-order';
import { openTask } from '../../../../src/engine/open-task';
import { CPU } from '../../../../src/engine/place';
import type { OpenedTask } from '../../../../src/engine/stepper';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { AuroraError } from '../../../../src/base/errors';
import { DropoutMasks } from '../../../../src/training/optimizer/dropout';
import type { EvaluationMetrics } from '../../../../src/protocol/events';
import { evaluateDataset } from '../../../../src/training/loop/evaluate';
import { MicroBatches, ignoresPadding } from '../../../../src/training/micro-batch/micro-batches';
import { gradientStep } from '../../../../src/training/loop/gradient-step';
import { initialState } from '../../../../src/training/checkpoint/state';
import { prepareTask, type Task } from '../../../../src/training/task/task';
import { LABELS } from '../../../../src/tasks/task-graph';
import { Lab } from '../../../cli/lab';
import { lossInTraining } from '../../tasks/loss-in-training';
import { withoutMask } from '../maskless';

const lab = new Lab({ adapter: { dropout: 0.2 }, training: { gradientAccumulation: 2 } });
afterAll(() => lab.remove());

interface Opened extends OpenedTask {
  task: Task;
  parts: MicroBatches;
}

async function open(...overrides: string[]): Promise<Opened> {
  const spec = loadExperiment(lab.experiment, overrides);
  const task = await prepareTask(spec, lab.path('graph'));
  const folder = lab.path(`graph-${opened++}`);
  const { stepper, trainable } = await openTask(task.model, task.infos, task.graph, folder);
  return { task, stepper, trainable, parts: new MicroBatches(task, stepper, CPU, () => {}) };
}
let opened = 0;

/** Sentences of 1 to 9 words, each with a tag. */
const words = ['the', 'unaffable', 'cats', 'played', '!'];
const sentence = (i: number): object => {
  const tokens = Array.from({ length: 1 + ((i * 5) % 9) }, (_, w) => words[(i + w * w) % words.length]);
  return { tokens, tags: tokens.map((word) => (word === 'cats' ? 'B-PET' : 'O')) };
};
lab.write('tags.jsonl', Array.from({ length: 40 }, (_, i) => `${JSON.stringify(sentence(i))}\n`).join(''));

lab.write(
  'uneven.jsonl',
  Array.from({ length: 40 }, (_, i) => {
    const { tokens } = sentence(i) as { tokens: string[] };
    return `${JSON.stringify({ text: tokens.join(' '), label: i % 7 < 5 ? 'a' : i % 7 === 5 ? 'b' : 'c' })}\n`;
  }).join(''),
);
const uneven = ['data.train=uneven.jsonl', 'data.validation=uneven.jsonl'];

const batchesOf = ({ spec: { training }, data }: Task) =>
  epochOrder(data.train.dataset, { ...training, epoch: 0 }).slice(0, training.gradientAccumulation);

function parametersOf({ task, trainable }: Opened) {
  const { parameters } = initialState(task, trainable);
  // Adapters start at zero, which would make half of their gradients zero.
  for (const values of parameters.values()) values.forEach((v, i) => (values[i] = v + 0.05 * Math.sin(i)));
  return parameters;
}

async function step(open: Opened) {
  const { task, stepper, parts } = open;
  const parameters = parametersOf(open);
  const dropout = new DropoutMasks(task, task.spec.training.seed);
  const result = await gradientStep(stepper, task, parts, batchesOf(task), parameters, dropout, {
    step: 3,
    epoch: 0,
  });
  const { dataset } = task.data.validation;
  const metrics = (await evaluateDataset(stepper, task, parts, dataset, parameters)) as EvaluationMetrics;
  return { ...result, metrics };
}

describe.each([
  ['a model with a mask', [], true],
  ['a model with a result that depends on padding', [`model.path=${withoutMask(lab)}`], false],
  [
    'a model with an answer for every word',
    ['task.type=token-classification', 'data.train=tags.jsonl', 'data.validation=tags.jsonl'],
    true,
  ],
  [
    'a model with weighted and smoothed labels',
    ['task.classWeights=balanced', 'task.labelSmoothing=0.2', ...uneven],
    true,
  ],
])('%s', async (_, settings, ignores) => {
  const set = [...settings, 'training.groupByLength=false'];
  const whole = await open(...set);
  const expected = await step(whole);
  const unit = Math.max(...[...expected.gradients.values()].flatMap((g) => [...g].map(Math.abs)));

  it('is recognized', async () => {
    expect(await ignoresPadding(whole.stepper, whole.task)).toBe(ignores);
  });

  it.each([1, 2, 3, 5])(
    'in parts of %i, with dropout, has the gradients of the whole batch',
    async (size) => {
      const micro = await open(...set, `training.microBatchSize=${size}`);
      const result = await step(micro);
      expect(Math.abs(result.loss / expected.loss - 1)).toBeLessThan(1e-5);
      expect(result).toMatchObject({ examples: 16, tokens: expected.tokens });
      expect([...result.gradients.keys()]).toEqual([...expected.gradients.keys()]);
      for (const [name, g] of expected.gradients) {
        const own = result.gradients.get(name)!;
        const error = g.reduce((e, x, i) => Math.max(e, Math.abs(x - own[i])), 0);
        expect(error / unit, name).toBeLessThan(1e-5);
      }
      const { loss, ...rest } = result.metrics;
      const { loss: wanted, ...others } = expected.metrics;
      expect(Math.abs(loss / wanted - 1)).toBeLessThan(1e-5);
      expect(rest).toEqual(others);
    },
  );

  it('has the mean loss over all labels of its batches', async () => {
    const still = await open(...set, 'adapter.dropout=0');
    const { task, stepper } = still;
    const loss = task.graph.trainingLoss;
    let [lossSum, count] = [0, 0];
    for (const batch of batchesOf(task)) {
      const feeds = await task.feeds(task.data.train.dataset, batch);
      const found = await stepper.evaluate(feeds, parametersOf(still));
      const { lossSum: sum, count: n } = loss ? lossInTraining(loss, found.logits, feeds[LABELS]) : found;
      // An evaluation's loss is plain.
      expect(found.count === n).toBe(loss === undefined);
      lossSum += sum;
      count += n;
    }
    expect(Math.abs((await step(still)).loss / (lossSum / count) - 1)).toBeLessThan(1e-5);
  });

  it('in one part is bit-identical to the whole batch', async () => {
    const one = await step(await open(...set, 'training.microBatchSize=8'));
    expect(one).toEqual(expected);
  });
});

/** An engine with room for this many padded tokens, because a test cannot reduce a process's memory. */
const smaller = (room: number) => {
  const sizes: number[] = [];
  const run = (parts: readonly { indices: readonly number[]; length: number }[]) => {
    for (const { indices, length } of parts) {
      sizes.push(indices.length * length);
      if (indices.length * length > room) throw new AuroraError('memory', 'There is no room.');
    }
    return Promise.resolve(parts);
  };
  return { sizes, run };
};

describe('a memory limit', async () => {
  const { task, stepper } = await open();
  const { dataset } = task.data.train;
  const batch = [...Array(16).keys()];
  const told: string[] = [];
  const make = (known?: ReturnType<MicroBatches['known']>) =>
    new MicroBatches(task, stepper, CPU, (m) => told.push(m), known);
  const longest = Math.max(...batch.map((i) => dataset.examples.at(i)!.size));

  it('is reported once, applies from then on, and is used by a resumed run', async () => {
    const micro = make();
    const first = smaller(5 * longest);
    await micro.run('step', dataset, batch, first.run);
    expect(told).toEqual([
      `A batch of 16 × ${longest} tokens does not fit into memory on cpu: from here on, it is run ${Math.max(...(await micro.run('step', dataset, batch, (p) => Promise.resolve(p))).map((p) => p.indices.length))} at a time, with the same result.`,
    ]);
    const again = smaller(5 * longest);
    const parts = await micro.run('step', dataset, batch, again.run);
    expect(Math.max(...again.sizes)).toBeLessThanOrEqual(5 * longest);
    expect(told).toHaveLength(1);
    const kept = JSON.parse(JSON.stringify(micro.known())) as ReturnType<MicroBatches['known']>;
    expect(await make(kept).run('step', dataset, batch, smaller(Infinity).run)).toEqual(parts);
    // Evaluation needs less memory, and other devices have different memory.
    expect(await micro.run('evaluation', dataset, batch, smaller(Infinity).run)).toHaveLength(1);
    const elsewhere = make({ ...kept, place: 'ONNX Runtime on webgpu' });
    expect(await elsewhere.run('step', dataset, batch, smaller(Infinity).run)).toHaveLength(1);
  });

  it('below a single text ends the run with one hint', async () => {
    const failed = async (...overrides: string[]) => {
      const spec = loadExperiment(lab.experiment, overrides);
      const micro = new MicroBatches({ ...task, spec }, stepper, CPU, () => {});
      return micro.run('step', dataset, batch, smaller(1).run).catch((e: unknown) => e as AuroraError);
    };
    const error = (await failed()) as AuroraError;
    expect(error).toMatchObject({ kind: 'memory', exitCode: 21 });
    expect(error.message).toBe(`A single example of ${longest} tokens does not fit into memory on cpu.`);
    expect(error.hint).toMatch(/^Set training.gradientCheckpointing to true/);
    const other = (await failed('training.gradientCheckpointing=true')) as AuroraError;
    expect(other.hint).toBe('Lower model.maxLength (now 16).');
  });

  it('is not searched for after other errors', async () => {
    const wrong = new AuroraError('model', 'The model does not run.');
    await expect(make().run('step', dataset, batch, () => Promise.reject(wrong))).rejects.toBe(wrong);
  });
});
