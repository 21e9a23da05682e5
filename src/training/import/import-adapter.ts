import { parameterCount } from '../../adapters/stored-tensors';
import { mkdirSync, rmdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { AuroraError } from '../../base/errors';
import { openEvaluator } from '../../engine/open-task';
import { CPU } from '../../engine/place';
import type { Experiment } from '../../experiment/experiment';
import { metricValue } from '../../experiment/metrics';
import { diskError } from '../../files/atomic';
import { renameFlushed } from '../../files/folder';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { type AdapterFolder, readAdapterFolder } from '../../peft/adapter-folder';
import type { EvaluationMetrics, ImportedEvent, NewEvent } from '../../protocol/events';
import { outputsOf } from '../../protocol/outputs';
import { ScalarsWriter } from '../../runs/curve/scalars';
import { writeJournal } from '../../runs/journal/journal';
import { createRun, runPaths, stepName } from '../../runs/layout';
import { writeStatus } from '../../runs/status';
import { writeSpec } from '../../runs/stored-spec';
import { writeUser } from '../../runs/user';
import { writeAdapter } from '../checkpoint/adapter-files';
import { CHECKPOINT_VERSION, specHash } from '../checkpoint/checkpoint';
import { saveCheckpoint } from '../checkpoint/checkpoint-store';
import { RunInputs } from '../inputs/run-inputs';
import { EarlyStopping } from '../loop/early-stopping';
import { evaluateDataset } from '../loop/evaluate';
import { makePlan } from '../loop/training-plan';
import { MicroBatches } from '../micro-batch/micro-batches';
import { environment } from '../process/environment';
import { newStatus } from '../process/pulse';
import { removedAtEnd } from '../process/removed-at-exit';
import { ActivationRecorder } from '../snapshot-recorder';
import { packedRows } from '../task/task';
import { importSubject, type ImportSubject } from './import-subject';

export interface ImportRequest {
  /** The adapter's folder. */
  adapter: string;
  /** The experiment to import into: model, data and further training. */
  experiment: Experiment;
  /** The folder in which the run is created. */
  runs: string;
  /** The run's name; defaults to the folder's name. */
  name?: string;
  /** The built hash-worker. */
  hashWorker: string;
}

/** A run that starts with an adapter, without the adapter itself. */
export interface AdapterRunRequest extends Pick<ImportRequest, 'experiment' | 'runs' | 'hashWorker'> {
  name: string;
  /** The adapter's origin, for the first line of the journal. */
  origin: Omit<ImportedEvent, 'kind'>;
}

export interface Imported extends ImportSubject {
  run: string;
  metrics: EvaluationMetrics;
}

/**
 * Creates a run from an adapter on disk: its step 0, evaluated, with a checkpoint. From then on it is a normal run that
 * can be viewed, compared, exported, forked and resumed.
 */
export async function importAdapter({ adapter, name, ...request }: ImportRequest): Promise<Imported> {
  const from = readAdapterFolder(adapter);
  const origin = { adapter: basename(adapter), peftType: String(from.config.peft_type) };
  return adapterRun(from, { ...request, name: name ?? basename(adapter), origin });
}

/** Imports an adapter in memory. */
export async function adapterRun(
  from: AdapterFolder,
  { experiment, runs, name, hashWorker, origin }: AdapterRunRequest,
): Promise<Imported> {
  const inputs = await RunInputs.begin(experiment);
  const work = workFolder(runs);
  const removeWork = removedAtEnd(work);
  try {
    const subject = await inputs.reading(() => importSubject(from, experiment, work));
    inputs.hash(hashWorker);
    const { task, parameters } = subject;
    // Complete before it becomes visible.
    const made = join(work, 'run');
    mkdirSync(made);
    const evaluator = await openEvaluator(task.model, task.infos, task.graph, join(work, 'evaluate'));
    const micro = new MicroBatches(task, evaluator, CPU, () => {});
    const began = performance.now();
    const { dataset } = task.data.validation;
    const metrics = await evaluateDataset(evaluator, task, micro, dataset, parameters);
    if (metrics === 'diverged') throw notFinite(from.folder);
    const seconds = (performance.now() - began) / 1000;
    const recorder = new ActivationRecorder(task, made);
    await recorder.writeExamples();
    const snapshot = await recorder.record(0, evaluator, micro, parameters);
    await evaluator.dispose();
    // Its evaluation is compared, exported and trained on as belonging to these files.
    await inputs.recorded(made, 0, false);
    ScalarsWriter.open(made, 0).close();
    writeCheckpoint(made, subject, metrics);
    for (const which of ['best', 'last'] as const) writeAdapter(made, which, task, parameters, 0);
    writeWords(made, subject, name, [
      { kind: 'imported', ...origin },
      ...startEvents(made, subject, metrics, seconds),
      ...(snapshot ? [{ kind: 'activations', step: 0, path: snapshot.path } as const] : []),
    ]);
    return { ...subject, run: moveInto(runs, made), metrics };
  } finally {
    inputs.cancel();
    removeWork();
  }
}

const notFinite = (adapter: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${adapter}: with this adapter the model's logits on the validation data are not finite.`,
    'Check that the adapter was trained on this model and that its files are intact.',
  );

/** Beside the runs, so that graphs can use the model's file; not a run, since its name starts with a dot. */
function workFolder(runs: string): string {
  try {
    mkdirSync(runs, { recursive: true });
    removeAbandoned(runs);
    const work = temporaryBeside(join(runs, 'import'));
    mkdirSync(work);
    return work;
  } catch (e) {
    throw diskError(runs, e);
  }
}

function moveInto(runs: string, made: string): string {
  const run = createRun(runs);
  try {
    // Windows cannot rename onto a folder, not even an empty one.
    rmdirSync(run);
    renameFlushed(made, run);
  } catch (e) {
    throw diskError(run, e);
  }
  return run;
}

function writeCheckpoint(run: string, { task, parameters }: ImportSubject, metrics: EvaluationMetrics): void {
  const { spec } = task;
  const stopping = new EarlyStopping(spec.training.metric, spec.training.earlyStopping);
  stopping.update(metricValue(metrics, spec.training.metric));
  saveCheckpoint(run, {
    state: {
      version: CHECKPOINT_VERSION,
      step: 0,
      examplesSeen: 0,
      secondsSpent: 0,
      best: { ...metrics, step: 0 },
      last: metrics,
      earlyStopping: stopping.state(),
      specHash: specHash(spec),
      environment: { ...environment(0, CPU) },
    },
    parameters,
    optimizer: { step: 0, firstMoments: new Map(), secondMoments: new Map() },
    course: new Map(),
  });
}

function startEvents(
  run: string,
  { task, parameters }: ImportSubject,
  metrics: EvaluationMetrics,
  seconds: number,
): NewEvent[] {
  const { spec, data, adapters, head } = task;
  const trainExamples = data.train.dataset.examples.length;
  const path = relative(run, join(runPaths(run).checkpoints, stepName(0)));
  return [
    {
      kind: 'started',
      pid: process.pid,
      steps: makePlan(spec.training, task.trainingSet.examples.length).totalSteps,
      epochs: spec.training.epochs,
      trainExamples,
      ...packedRows(task),
      validationExamples: data.validation.dataset.examples.length,
      ...outputsOf(data),
      modules: adapters.filter((a) => !a.beside).map((a) => a.layer.path),
      trainable: parameterCount(adapters),
      trainableHead: head ? parameters.get(head.weight)!.length + parameters.get(head.bias)!.length : 0,
    },
    { kind: 'evaluation', step: 0, epoch: 0, metrics, best: true, seconds },
    { kind: 'checkpoint', step: 0, path },
  ];
}

function writeWords(run: string, { task, warnings }: ImportSubject, name: string, events: NewEvent[]): void {
  const warned = [...task.warnings, ...warnings].map((message) => ({ kind: 'warning', message }) as const);
  const lines = [...events.slice(0, 1), ...warned, ...events.slice(1)];
  const started = events.find((e) => e.kind === 'started');
  writeUser(run, { name });
  writeJournal(
    run,
    lines.map((event) => ({ event })),
  );
  writeStatus(run, { ...newStatus('stopped'), steps: started?.kind === 'started' ? started.steps : 0 });
  writeSpec(run, task.spec);
}
