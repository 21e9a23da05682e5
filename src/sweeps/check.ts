import { join } from 'node:path';
import { modelSource } from '../architectures/model-source';
import { probe } from '../engine/onnxruntime/probe';
import type { TensorInfos } from '../graph/tensor-infos';
import { AuroraError, errorRecord, type KnownError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { adaptTo, readModel, type BaseModel } from '../training/task/adapted-model';
import { taskKind } from '../tasks/registry';
import { DropoutMasks } from '../training/optimizer/dropout';

/** A trial that could not be trained, and why. */
export interface TrialFault extends KnownError {
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
    const { path, quantize } = spec.model;
    const key = [path, quantize, spec.task.trainTextEncoder].filter(Boolean).join(' ');
    const base = this.models.of(key, () => readModel(modelSource(path), spec));
    const { model, adapters, output } = adaptTo(base, spec);
    const { tokenizer, maxLength } = spec.model;
    const seed = spec.data.validation === undefined ? spec.training.seed : undefined;
    const data = JSON.stringify([path, spec.task.type, tokenizer, maxLength, spec.data, seed]);
    const kind = taskKind(spec.task.type);
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
