import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelSource } from '../architectures/model-source';
import { AuroraError, errorFrom, type ErrorKind, errorRecord, EXIT, type KnownError } from '../base/errors';
import { append } from '../base/gathered';
import { probe } from '../engine/onnxruntime/probe';
import type { Experiment } from '../experiment/experiment';
import { trialText } from '../experiment/run-names';
import { temporaryFolderFor } from '../files/system-temporary';
import type { TensorInfos } from '../graph/tensor-infos';
import type { SweepRecord } from '../runs/sweep/record';
import { taskKind } from '../tasks/task-registry';
import { DropoutMasks } from '../training/optimizer/dropout';
import { askChild } from '../training/process/child';
import { removedAtEnd } from '../training/process/removed-at-exit';
import { adaptTo, type BaseModel, quantizedForm, readModel } from '../training/task/adapted-model';
import { byCause, rangesText } from './causes';
import { type Measured, measureTrial, tokensAtOnce } from './room';

/** Problems that an error lists. */
const MOST_CAUSES = 20;

/** Reading a large data set takes minutes, but never this long. */
const LIMIT_MS = 3_600_000;

export interface CheckOptions {
  /** The experiment of each planned trial, by id. */
  specs: ReadonlyMap<string, Experiment>;
  program: string;
  /** Options for the trials' engine and device. */
  place: readonly string[];
  /** True if trials are trained on this machine, so that their needs here are measured. */
  here: boolean;
  stopped: () => boolean;
}

/**
 * Checks the adapters, data and memory of every trial that is new to the sweep. Runs in separate processes, so that all
 * they have loaded is freed when they exit.
 *
 * @returns the needs of the largest trial; empty if no trial is new
 * @throws AuroraError naming all trials that cannot be trained, with their settings
 */
export async function checkSweep(
  { trials }: SweepRecord,
  { specs, program, place, here, stopped }: CheckOptions,
): Promise<Measured> {
  const fresh = trials.filter((t) => t.planned && t.unchecked);
  if (fresh.length === 0) return {};
  const work = temporaryFolderFor('sweep');
  const remove = removedAtEnd(work);
  const toCheck = fresh.map(({ id, number }): TrialToCheck => ({ number, spec: specs.get(id)! }));
  const file = join(work, 'trials.json');
  writeFileSync(file, JSON.stringify(toCheck));
  const { answer, error, how, printed, ended } = await askChild<{ faults: TrialFault[] }>({
    program,
    args: ['check-trials', file],
    limit: LIMIT_MS,
    stopped,
  });
  if (ended === 'stopped' || stopped()) return {};
  if (error) throw errorFrom(error);
  if (!answer)
    throw new AuroraError(
      'failed',
      `The trials could not be checked (${how})${printed.trim() ? `: ${printed.trim().split('\n').at(-1)}` : ''}.`,
    );
  const whole = toCheck.filter((t) => !answer.faults.some((f) => f.number === t.number));
  const { measured, faults } = here
    ? await measureTrials(program, whole, place, work, stopped)
    : { measured: {}, faults: [] };
  remove();
  if (stopped()) return {};
  const all = [...answer.faults, ...faults].sort((a, b) => a.number - b.number);
  if (all.length > 0) throw faultsError(all, fresh);
  return measured;
}

/** Names each problem once, with the trials that have it. */
function faultsError(faults: readonly TrialFault[], trials: SweepRecord['trials']): AuroraError {
  const kinds = new Set(faults.map((f) => f.kind));
  const [{ kind }] = faults;
  const causes = byCause(faults);
  const [{ message, hint }] = causes;
  if (trials.length === 1) {
    const [{ number, settings }] = trials;
    return new AuroraError(
      kind,
      `Trial ${number} (${trialText(settings)}) cannot be trained: ${message}`,
      hint,
    );
  }
  if (causes.length === 1 && faults.length === trials.length)
    return new AuroraError(kind, `None of the ${trials.length} trials can be trained: ${message}`, hint);
  const lines = causes.slice(0, MOST_CAUSES).map(({ numbers, message }) => {
    const { settings } = trials.find((t) => t.number === numbers[0])!;
    return `  ${numbers.length === 1 ? `trial ${numbers[0]} (${trialText(settings)})` : `trials ${rangesText(numbers)}`}: ${message}`;
  });
  const more = causes.length - MOST_CAUSES;
  if (more > 0) lines.push(`  ${more} more ${more === 1 ? 'problem' : 'problems'}`);
  return new AuroraError(
    kinds.size === 1 ? kind : 'experiment',
    `${faults.length} of ${trials.length} trials cannot be trained; none has been started.\n${lines.join('\n')}`,
    new Set(causes.map((c) => c.hint)).size === 1
      ? hint
      : 'Correct the settings or the "sweep" section, and run it again.',
  );
}

/** A trial that could not be trained, and why. */
interface TrialFault extends KnownError {
  number: number;
}

export interface TrialToCheck {
  number: number;
  spec: Experiment;
}

/**
 * Errors that would end trials before their first step: models, targets, ranks and operators, then data, columns and
 * labels, then the output's shape. Reports the first of each trial. Shared parts are read once.
 *
 * @param near a folder for temporary graphs
 */
export async function checkTrials(trials: readonly TrialToCheck[], near: string): Promise<TrialFault[]> {
  const checker = new Checker(near);
  const faults: TrialFault[] = [];
  for (const { number, spec } of trials)
    try {
      await checker.check(spec);
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      faults.push({ number, ...errorRecord(e) });
    }
  return faults;
}

class Checker {
  private readonly models = new Known<BaseModel>();
  private readonly shapes = new Known<Promise<TensorInfos>>();
  private readonly labels = new Known<Promise<readonly string[]>>();

  constructor(private readonly near: string) {}

  async check(spec: Experiment): Promise<void> {
    const { path } = spec.model;
    const key = [path, quantizedForm(spec), spec.task.trainTextEncoder].filter(Boolean).join(' ');
    const base = this.models.of(key, () => readModel(modelSource(path), spec));
    const { model, adapters, output } = adaptTo(base, spec);
    const { tokenizer, maxLength } = spec.model;
    const seed = spec.data.validation === undefined ? spec.training.seed : undefined;
    const data = JSON.stringify([path, spec.task.type, tokenizer, maxLength, spec.data, seed]);
    const kind = taskKind(spec.task);
    const labels = await this.labels.of(data, async () => (await kind.load(spec, model)).labels);
    const infos = await this.shapes.of(key, () => probe(model, join(this.near, 'probe')));
    kind.checkOutput(spec, output, infos.get(output)!, labels);
    // Rejects layers that it cannot apply dropout to.
    void new DropoutMasks({ model, infos, adapters }, spec.training.seed);
  }
}

/** Cached values and errors, by their inputs. */
class Known<T> {
  private readonly found = new Map<string, { value: T } | { error: unknown }>();

  of(key: string, make: () => T): T {
    let known = this.found.get(key);
    if (!known) this.found.set(key, (known = attempt(make)));
    if ('error' in known) throw known.error;
    return known.value;
  }
}

function attempt<T>(make: () => T): { value: T } | { error: unknown } {
  try {
    return { value: make() };
  } catch (error) {
    return { error };
  }
}

/** Preflight errors that mean a trial of this size cannot be trained, whatever its data. */
const FATAL: readonly ErrorKind[] = ['model', 'operator', 'targets', 'rank', 'data', 'vocabulary', 'memory'];

/**
 * Measures a step of the trials that take the most memory: among those that share a model and the computation of a
 * step, the one with the most tokens at once and, if that one cannot be trained, the next.
 *
 * @param folder for the measured experiments
 * @param stopped polled: true to end now
 * @returns the needs of the largest trainable trial, and the trials that cannot be trained
 */
async function measureTrials(
  program: string,
  trials: readonly TrialToCheck[],
  place: readonly string[],
  folder: string,
  stopped: () => boolean,
): Promise<{ measured: Measured; faults: TrialFault[] }> {
  const faults: TrialFault[] = [];
  let measured: Measured = {};
  for (const group of groups(trials))
    for (const { number, spec } of group) {
      if (stopped()) return { measured, faults };
      const file = join(folder, `trial-${number}.aurora.json`);
      writeFileSync(file, JSON.stringify(spec));
      const { code, problem, ...found } = await measureTrial(program, file, place, stopped);
      const kind = FATAL.find((k) => EXIT[k] === code);
      if (kind && problem) {
        faults.push({ number, kind, ...problem });
        continue;
      }
      if ((found.memory ?? 0) >= (measured.memory ?? 0)) measured = { ...measured, ...found };
      break;
    }
  return { measured, faults };
}

/** Each from the largest to the smallest. */
function groups(trials: readonly TrialToCheck[]): TrialToCheck[][] {
  const found = new Map<string, TrialToCheck[]>();
  for (const trial of trials) {
    const { model, training } = trial.spec;
    const key = JSON.stringify([
      model.path,
      model.output,
      training.gradientCheckpointing,
      training.precision,
    ]);
    append(found, key, trial);
  }
  return [...found.values()].map((group) =>
    group.toSorted((a, b) => tokensAtOnce(b.spec) - tokensAtOnce(a.spec)),
  );
}
