import { tensorName } from '../../adapters/stored-tensors';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fitLayer, layerFit, type LinearFit } from '../../adapters/fit/linear-fit';
import { ownValues } from '../../adapters/merge';
import type { LayerAdapter } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { Turns } from '../../data/turns';
import type { Parameters } from '../../engine/stepper';
import { isNonlinear, type NonlinearSpec } from '../../experiment/methods';
import { writeAtomic } from '../../files/atomic';
import { matchedBy } from '../../files/pattern';
import { batched } from '../../protocol/events';
import { changeWords } from '../../protocol/inputs-words';
import type { FitProgress, KeptFit, KeptLayer } from '../../protocol/linear-fit';
import { changedInputs, filesBehind, readInputs } from '../../runs/inputs';
import { fitFile, readKeptFit } from '../../runs/kept-fit';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import { type At, openTrained, stepOf, type Trained } from '../checkpoint/trained-run';
import { makePlan } from '../loop/training-plan';
import { workFolder } from '../process/leftovers';
import type { Task } from '../task/task';
import { collectTokens } from './collect-tokens';

export interface FitOptions {
  /** For each layer; 4,096 by default: R² changes by less than 0.003 with more than 1,000. */
  tokens?: number;
  emit?: (line: FitProgress) => void | Promise<void>;
  signal?: AbortSignal;
  /** The run at that step, if it is already open; it need not have its training data. */
  trained?: Trained;
}

const TOKENS = 4096;

/**
 * The linear form of a run's adapter at a step: the one kept in the run if it belongs to these values, otherwise fitted on
 * the run's training data and kept. Without layers if the adapter is linear at that step: a method without σ, or AuroRA
 * whose static form was trained.
 *
 * @throws AuroraError 'inputs' if the training data are missing or have changed; 'run' if the run has no such state
 * @throws the signal's reason if it is aborted
 */
export async function fitOf(
  run: string,
  at: At,
  { tokens = TOKENS, emit, signal, trained }: FitOptions = {},
): Promise<LinearFit> {
  const summary = trained?.run ?? readRunSummary(run);
  const { spec } = summary;
  const step = trained?.step ?? stepOf(summary, at);
  const asked = { step, seed: spec.training.seed, tokens };
  if (!isNonlinear(spec.adapter) || formAt(summary, step) === 'static') return { ...asked, layers: [] };
  const { path: work, remove } = workFolder(run, 'fit');
  try {
    const kept = await readKeptFit(run, step);
    if (kept?.tokens === tokens && kept.seed === asked.seed) {
      const state = trained ?? (await openTrained(run, at, work, (kind) => kind.withoutRows));
      if (isOf(kept, state.task, state.parameters)) return linearFit(kept, state.task, state.parameters);
    }
    await requireTrainingData(summary, step);
    const opened = await openTrained(run, at, work, (kind) => kind.load);
    const { task, parameters } = opened;
    const layers = await fitted(task, parameters, join(work, 'graph'), tokens, emit, signal);
    const values = valuesSum(task, parameters);
    const made: KeptFit = { version: 1, ...asked, values, layers };
    keep(run, made);
    return linearFit(made, task, parameters);
  } finally {
    remove();
  }
}

function formAt({ spec, events }: RunSummary, step: number): 'dynamic' | 'static' {
  const started = events.find((e) => e.kind === 'started');
  return started ? makePlan(spec.training, batched(started)).trainedForm(step) : 'dynamic';
}

async function fitted(
  task: Task,
  parameters: Parameters,
  folder: string,
  tokens: number,
  emit: FitOptions['emit'],
  signal: AbortSignal | undefined,
): Promise<KeptLayer[]> {
  const collected = await collectTokens(task, parameters, folder, {
    tokens,
    signal,
    progress: (share) => emit?.({ kind: 'fitting', done: Math.round(share * tokens), of: tokens }),
  });
  const layers: KeptLayer[] = [];
  const turns = new Turns();
  for (const { adapter, sigma, ...seen } of collected) {
    if (turns.due) await turns.take();
    signal?.throwIfAborted();
    const { B } = ownValues(adapter, parameters);
    layers.push(fitLayer(adapter.layer.path, adapter.spec.rank, sigma, B!, seen));
  }
  return layers;
}

/** @throws AuroraError 'inputs' if the training data are not those that the run was trained on up to the step */
async function requireTrainingData(run: RunSummary, step: number): Promise<void> {
  const why = await trainingDataChanges(run, step);
  if (why.length === 0) return;
  throw new AuroraError(
    'inputs',
    `${run.folder}: σ cannot be replaced by its linear fit, which is made on the training data. ${why.join(' ')}`,
    'Put the data back as they were. The paper’s merge needs none: export with --merge paper.',
  );
}

/** The training data that are missing or have changed since a run was trained on them up to the step, in sentences. */
export async function trainingDataChanges({ folder, spec }: RunSummary, step: number): Promise<string[]> {
  const record = readInputs(folder);
  const files = record && filesBehind(record, step)?.filter(({ role }) => role === 'train');
  return files
    ? (await changedInputs(files)).map((c) => `${changeWords(c)}.`)
    : matchedBy(spec.data.train)
        .filter((path) => !existsSync(path))
        .map((path) => `The training data ${path} are missing.`);
}

const nonlinear = ({ adapters }: Task): (LayerAdapter & { spec: NonlinearSpec })[] =>
  adapters.flatMap(({ spec, ...rest }) => (isNonlinear(spec) ? [{ ...rest, spec }] : []));

/** SHA-256 of the adapters' values, with their names. */
function valuesSum({ adapters }: Task, parameters: Parameters): string {
  const hash = createHash('sha256');
  for (const adapter of adapters)
    for (const { name } of adapter.tensors) {
      const values = parameters.get(tensorName(adapter, name))!;
      hash.update(`${tensorName(adapter, name)}\0${values.length}\0`).update(values);
    }
  return hash.digest('hex');
}

/** True if a kept fit belongs to the values, and has all layers in their sizes: the file may have been changed. */
function isOf({ values, layers }: KeptFit, task: Task, parameters: Parameters): boolean {
  const adapters = nonlinear(task);
  return (
    layers.length === adapters.length &&
    adapters.every(({ layer, spec }, i) => {
      const { path, c, plain, plainBy } = layers[i]!;
      return (
        path === layer.path &&
        c.length === spec.rank &&
        (plain === 'origin' || plainBy.length === layer.inFeatures)
      );
    }) &&
    values === valuesSum(task, parameters)
  );
}

function linearFit({ step, seed, tokens, layers }: KeptFit, task: Task, parameters: Parameters): LinearFit {
  const adapters = nonlinear(task);
  return {
    step,
    seed,
    tokens,
    layers: layers.map((kept, i) => layerFit(kept, ownValues(adapters[i]!, parameters).A!)),
  };
}

function keep(run: string, fit: KeptFit): void {
  try {
    writeAtomic(fitFile(run, fit.step), `${JSON.stringify(fit)}\n`, run);
  } catch (e) {
    // A run on a full or read-only disk is fitted again next time.
    if (!(e instanceof AuroraError)) throw e;
  }
}
