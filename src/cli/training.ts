import { alarmSentence } from '../protocol/alarms';
import type { Outputs } from '../protocol/outputs';
import { join } from 'node:path';
import type { DeviceRequest } from '../engine/devices';
import { ranksSentence } from '../protocol/ranks';
import { placeName } from '../protocol/device-words';
import { deviceSentence } from '../protocol/device-words';
import type { InputChange } from '../protocol/events';
import type { Experiment } from '../experiment/experiment';
import { quantizationWords } from '../protocol/quantize';
import { deviceFields } from '../training/device/choose';
import type { PausePoint } from '../training/loop/training-plan';
import type { TrainOutcome } from '../training/run/conclude';
import type { TrainListener, TrainOptions } from '../training/run/open-run';
import { train } from '../training/run/train';
import { count } from '../base/number-text';
import { Progress, setWords } from './commands/train/training-progress';
import { ReadingProgress } from './bar';

/** Settings of training that do not depend on the run. */
export interface TrainingSettings {
  device: DeviceRequest;
  /** Threads of the runtime; 0 for one per core. */
  threads: number;
  lease: boolean;
  /** See TrainOptions. */
  acceptedInputs?: readonly InputChange[];
  pauseAt?: PausePoint;
  frozen?: string;
  interrupted: TrainOptions['interrupted'];
}

/** A baseline and its run produce the same warnings about the data; each is printed once. */
const warned = new Set<string>();

/** Trains a run folder and reports progress on stderr. */
export async function trainRun(
  spec: Experiment,
  run: string,
  resume: boolean,
  settings: TrainingSettings,
): Promise<TrainOutcome> {
  process.stderr.write(`Preparing ${spec.name}…\n`);
  let progress: Progress | undefined;
  const reading = new ReadingProgress();
  const listener: TrainListener = {
    reading: (at) => reading.show(at),
    encoding: (done, of) => reading.encoding(done, of),
    starting: (initialization, share) => reading.starting(initialization, share),
    ranks: (ranks) => process.stderr.write(`${ranksSentence(ranks)}\n`),
    measuring: (places) =>
      process.stderr.write(`Measuring the first step: ${places.map(placeName).join(', ')}…\n`),
    device: (choice) => process.stderr.write(`${deviceSentence(deviceFields(choice))}\n`),
    prepared(task, plan, fromStep) {
      const { data, adapters } = task;
      const what = adapters.length
        ? `${spec.adapter.method} on ${adapters.length} modules`
        : 'the head alone';
      const rows = spec.training.packing ? ` in ${count(task.trainingSet.examples.length)} rows` : '';
      const examples = `${count(data.train.dataset.examples.length)} examples${rows}, ${count(data.validation.dataset.examples.length)} for validation${outputsText(data)}`;
      process.stderr.write(
        `${fromStep ? `Resuming at step ${fromStep}: ` : ''}Training ${what}: ${examples}, ${plan.totalSteps} steps.\n`,
      );
      progress = new Progress(plan.totalSteps);
    },
    stepped: (record) => progress!.step(record),
    evaluated: (step, epoch, metrics, best) => progress!.evaluation(step, epoch, metrics, best),
    drew: (step, drawn, seconds) => progress!.drew(step, drawn, seconds),
    diverged: (event) => progress!.diverged(event),
    alarm: (alarm) => progress!.line(`alarm at step ${alarm.step}: ${alarmSentence(alarm)}`),
    scoring: (set, examples) =>
      progress!.line(`Evaluating the best adapter on ${setWords(set)}: ${count(examples)} examples…`),
    scored: (set, metrics) => progress!.scored(set, metrics),
    writing(done, of) {
      if (done === 0) progress?.clear();
      reading.writing(done, of);
    },
    measuringQuantization: () => progress!.line('Measuring what model.quantize costs…'),
    quantization: (cost) => progress!.line(quantizationWords(cost)),
    staticForm: (step) => progress!.line(`step ${step}: training the static form from here on`),
    warning(message) {
      if (warned.has(message)) return;
      warned.add(message);
      if (progress) progress.line(`warning: ${message}`);
      else process.stderr.write(`warning: ${message}\n`);
    },
  };
  try {
    return await train({
      spec,
      run,
      resume,
      pauseAt: undefined,
      ...settings,
      pulseWorker: join(__dirname, 'pulse-worker.cjs'),
      hashWorker: join(__dirname, 'hash-worker.cjs'),
      program: join(__dirname, 'cli.cjs'),
      listener,
    });
  } finally {
    reading.clear();
    progress?.clear();
  }
}

/** The outputs to predict; a language model has no labels. */
function outputsText({ labels, scale }: Outputs): string {
  if (scale) return `, the number "${labels[0]}"`;
  return labels.length > 0 ? `, ${labels.length} labels` : '';
}
