import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lengthOf } from '../src/data/batch';
import { sizeOf, type Dataset } from '../src/data/dataset';
import { longestExamples } from '../src/data/row-order';
import { openTask } from '../src/engine/open-task';
import { CPU } from '../src/engine/place';
import { loadExperiment } from '../src/runs/experiment/load';
import { initialState } from '../src/training/checkpoint/state';
import { checkPacking } from '../src/training/loop/check-packing';
import { paddedTokens, sampleSteps, sum } from '../src/training/loop/sample';
import { FIRST_STEP, gradientStep } from '../src/training/loop/gradient-step';
import { MicroBatches } from '../src/training/micro-batch/micro-batches';
import { clipByGlobalNorm } from '../src/training/optimizer/optimizer';
import { DropoutMasks } from '../src/training/optimizer/dropout';
import { prepareTask, type Task } from '../src/training/task/task';
import { answerCommands } from './commands';

/**
 * Trains on texts. Usage: epoch EXPERIMENT THREADS STEPS [padded]. "step" is the next of STEPS steps that represent an
 * epoch, from the shortest to the longest, and then again from the first. With "padded", every text is padded to the
 * longest of all.
 */
async function main(path: string, threads: number, count: number, isPadded: boolean): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), 'graph-'));
  const prepared = await prepareTask(loadExperiment(path), folder);
  const task = isPadded ? paddedToLongest(prepared) : prepared;
  const { stepper, trainable } = await openTask(task.model, task.infos, task.graph, folder, { threads });
  const { training } = task.spec;
  const { trainingSet } = task;
  const batchSize = rowsOfBatch(task);
  const { steps, longest } = sampleSteps(trainingSet, { ...training, batchSize }, count);
  const micro = new MicroBatches(task, stepper, CPU, (message) => process.stderr.write(`${message}\n`));
  const { parameters, optimizer } = initialState(task, trainable);
  const dropout = new DropoutMasks(task, training.seed);
  const gradients = (batches: number[][]) =>
    gradientStep(stepper, task, micro, batches, parameters, dropout, FIRST_STEP);
  await checkPacking(task, stepper, micro);
  // First use of memory.
  await gradients([longest]);

  let next = 0;
  await answerCommands(
    {
      async step() {
        const result = await gradients(steps[next++ % steps.length]);
        clipByGlobalNorm(result.gradients, training.maxGradientNorm);
        optimizer.step(parameters, result.gradients, 1);
        return { loss: result.loss };
      },
    },
    {
      batchSize,
      steps: steps.length,
      tokens: sum(steps.flat(2).map((i) => sizeOf(trainingSet, i))),
      positions: isPadded
        ? steps.flat(2).length * longestOf(trainingSet)
        : sum(steps.map((step) => paddedTokens(trainingSet, step))),
    },
  );
  await stepper.dispose();
  rmSync(folder, { recursive: true, force: true });
}

const longestOf = (dataset: Dataset): number => lengthOf(dataset, longestExamples(dataset, 1));

function paddedToLongest(task: Task): Task {
  const longest = longestOf(task.trainingSet);
  return { ...task, feeds: (dataset, indices, _, pass) => task.feeds(dataset, indices, longest, pass) };
}

/** The rows that hold about as many texts as a batch of the experiment. */
function rowsOfBatch({ spec, data, trainingSet }: Task): number {
  const { batchSize } = spec.training;
  return Math.max(
    1,
    Math.round((batchSize * trainingSet.examples.length) / data.train.dataset.examples.length),
  );
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [path, threads, steps, way] = process.argv.slice(2);
main(path, Number(threads), Number(steps), way === 'padded').catch((e: unknown) => {
  console.error(e);
  process.exit(1);
});
