import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSnapshot } from '../src/protocol/activations';
import { isAnyEvaluation } from '../src/protocol/evaluations';
import { readScalars } from '../src/runs/curve/scalars';
import { readRunSummary } from '../src/runs/run-summary';
import { sharesOf } from '../src/training/alarms/activation-shares';
import { stepsOf } from '../src/training/alarms/alarm-watch';
import type { Plan } from '../src/training/loop/training-plan';
import type { Task } from '../src/training/task/task';
import type { RecordedRun } from '../test/unit/training/alarms/recorded';
import { trainHere } from '../test/unit/training/alarms/train';

/**
 * Trains an experiment and prints what its alarms follow from, as a line of JSON, with the alarms. Usage: alarm-curves
 * EXPERIMENT RUNS KEY=VALUE…
 */
async function main(file: string, runs: string, set: string[]): Promise<void> {
  let told: { task: Task; plan: Plan } | undefined;
  const prepared = (task: Task, plan: Plan) => (told = { task, plan });
  const { run, shown } = await trainHere(file, runs, { set, threads: 0, listener: { prepared } });
  const record = recordOf(told!.task, told!.plan, run);
  process.stdout.write(`${JSON.stringify({ record, raised: shown })}\n`);
}

function recordOf({ kind, data, adapters }: Task, plan: Plan, run: string): Omit<RecordedRun, 'name'> {
  const { events } = readRunSummary(run);
  const steps = [...stepsOf(readScalars(run))];
  const baseline = kind.baseline(data);
  return {
    run: {
      ...{
        guessLoss: rounded(kind.guessLoss(data), 6),
        baseline: { ...baseline, value: rounded(baseline.value, 6) },
      },
      ...{ steps: plan.totalSteps, warmupSteps: plan.warmupSteps },
    },
    loss: steps.map(({ loss }) => rounded(loss, 5)),
    learningRate: steps.map(({ learningRate }) => rounded(learningRate, 3)),
    gradientNorm: steps.map(({ gradientNorm }) => rounded(gradientNorm, 4)),
    evaluations: events.filter(isAnyEvaluation).map(({ step, metrics, form }) => ({
      step,
      ...(metrics && { loss: rounded(metrics.loss, 5), metric: rounded(metrics[baseline.metric] ?? NaN, 5) }),
      ...(form && { form }),
    })),
    // The values during training: none of the static form.
    shares: events.flatMap((e) => {
      if (e.kind !== 'activations' || plan.trainedForm(e.step) !== 'dynamic') return [];
      const { layers } = decodeSnapshot(readFileSync(join(run, e.path)));
      const found = sharesOf(layers, adapters);
      return found ? [{ step: e.step, ...found }] : [];
    }),
  };
}

/** NaN becomes null in JSON. */
const rounded = (value: number, digits: number): number => Number(value.toPrecision(digits));

const [file, runs, ...set] = process.argv.slice(2);
void main(file, runs, set);
