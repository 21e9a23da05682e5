import { join, relative } from 'node:path';
import { writeAtomic } from '../../graph/files';
import { createRun, experimentRuns, runPaths } from '../../runs/layout';
import { loadExperiment } from '../../runs/experiment/load';
import { AuroraError, EXIT } from '../../shared/errors';
import type { Experiment } from '../../shared/experiment';
import { requireResumable } from '../../trainer/resume';
import type { RunResult } from '../../trainer/result';
import type { TrainListener } from '../../trainer/hooks';
import { train as runTraining } from '../../trainer/train';
import { one, requireOnly, type Command, type ParsedArgs } from '../command';
import { count } from '../format';
import { Progress } from '../progress';
import { report } from '../report';

export const train: Command = {
  help: `Usage: aurora train FILE.aurora.json [options]
       aurora train --resume RUN

Trains the experiment and leaves a run folder in .aurora/runs beside it: journal, curves, checkpoints,
activation snapshots, and the best and last adapter in PEFT's file layout. Ctrl-C finishes the step in hand,
saves, and stops; --resume goes on from there to the same bits.

  --out DIR          put the run folder in DIR instead
  --resume RUN       go on with a run that was stopped or killed
  --set KEY=VALUE    override a setting, such as --set training.epochs=1 (may be given several times)
  --baseline         train the head alone first, as a second run, to compare with
  --device cpu       where to run
  --threads N        threads of the runtime (default: one a core)
`,
  options: {
    out: { type: 'string' },
    resume: { type: 'string' },
    set: { type: 'string', multiple: true },
    baseline: { type: 'boolean' },
    device: { type: 'string' },
    threads: { type: 'string' },
  },
  async run(args) {
    requireOnly('device', args.text('device'), 'cpu');
    const threads = threadCount(args.text('threads'));
    const interrupted = onInterrupt();
    const resumed = args.text('resume');
    if (resumed !== undefined) {
      if (args.positionals.length || args.list('set').length)
        throw new AuroraError(
          'usage',
          'A resumed run keeps its experiment: --resume takes no file and no --set.',
          'Start a new run to change a setting.',
        );
      return conclude(
        await trainRun(requireResumable(resumed), resumed, true, threads, interrupted),
        resumed,
      );
    }
    const file = one(args, 'experiment file', 'train');
    const spec = loadExperiment(file, args.list('set'));
    let headOnly: RunResult | undefined;
    if (args.flag('baseline')) {
      const baseline: Experiment = { ...spec, name: `${spec.name}-head-only`, adapter: { method: 'none' } };
      process.stderr.write('Baseline: the head alone, same settings.\n');
      const run = newRun(baseline, file, args);
      headOnly = await trainRun(baseline, run, false, threads, interrupted);
      if (!headOnly) return conclude(undefined, run);
      process.stderr.write('\n');
    }
    const run = newRun(spec, file, args);
    return conclude(await trainRun(spec, run, false, threads, interrupted), run, headOnly);
  },
};

function conclude(result: RunResult | undefined, run: string, headOnly?: RunResult): number {
  if (!result) {
    process.stderr.write(`Stopped; everything is saved. Go on with: ${program()} train --resume ${run}\n`);
    return EXIT.stopped;
  }
  process.stdout.write(report(result, run, headOnly));
  process.stdout.write(nextSteps(run));
  return EXIT.ok;
}

/** The program as it was called, so that a line can be pasted. */
function program(): string {
  const called = process.argv[1] ?? 'aurora';
  return /\.c?js$/.test(called) ? `node ${relative(process.cwd(), called)}` : 'aurora';
}

const nextSteps = (run: string): string => `Next
  the trained model as ONNX    ${program()} export ${run} --as onnx-dynamic
  the adapter for PEFT         ${join(run, 'adapter', 'best')}
  another try                  open the experiment file in VS Code, change it, and train again
`;

function newRun(spec: Experiment, file: string, args: ParsedArgs): string {
  const run = createRun(args.text('out') ?? experimentRuns(file));
  writeAtomic(runPaths(run).spec, `${JSON.stringify(spec, null, 2)}\n`);
  return run;
}

/** A baseline and its run warn of the same data: once is enough. */
const warned = new Set<string>();

/** @returns undefined when it was asked to stop before the end */
async function trainRun(
  spec: Experiment,
  run: string,
  resume: boolean,
  threads: number,
  interrupted: () => boolean,
): Promise<RunResult | undefined> {
  process.stderr.write(`Preparing ${spec.name} …\n`);
  let progress: Progress | undefined;
  const listener: TrainListener = {
    prepared(task, plan, fromStep) {
      const { data, adapters } = task;
      const what = adapters.length
        ? `${spec.adapter.method} on ${adapters.length} modules`
        : 'the head alone';
      const examples = `${count(data.train.dataset.examples.length)} examples, ${count(data.validation.dataset.examples.length)} for validation, ${data.labels.length} labels`;
      process.stderr.write(
        `${fromStep ? `Resuming at step ${fromStep}: ` : ''}Training ${what}: ${examples}, ${plan.totalSteps} steps.\n`,
      );
      progress = new Progress(plan.totalSteps);
    },
    stepped: (record) => progress!.step(record),
    evaluated: (step, epoch, metrics, best) => progress!.evaluation(step, epoch, metrics, best),
    warning(message) {
      if (warned.has(message)) return;
      warned.add(message);
      if (progress) progress.line(`warning: ${message}`);
      else process.stderr.write(`warning: ${message}\n`);
    },
  };
  try {
    const outcome = await runTraining({
      spec,
      run,
      resume,
      threads,
      pulseWorker: join(__dirname, 'pulse-worker.cjs'),
      listener,
      interrupted,
    });
    return outcome.end === 'finished' ? outcome.result : undefined;
  } finally {
    progress?.clear();
  }
}

/** The first Ctrl-C asks the loop to stop after this step; the second one ends the process at once. */
function onInterrupt(): () => boolean {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (asked) process.exit(EXIT.stopped);
      asked = true;
      process.stderr.write('\nStopping after this step; once more to quit at once.\n');
    });
  return () => asked;
}

function threadCount(given: string | undefined): number {
  const n = given === undefined ? 0 : Number(given);
  if (!Number.isInteger(n) || n < 0)
    throw new AuroraError('usage', `--threads takes a whole number, not "${given}".`);
  return n;
}
