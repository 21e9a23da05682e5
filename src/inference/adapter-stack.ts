import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type AdapterStack, stackAdapters, type WeightedAdapters } from '../adapters/stack';
import { AuroraError } from '../base/errors';
import type { Graph } from '../graph/model';
import type { LinearLayer } from '../graph/layers/linear';
import { type AdapterFolder, readAdapterFolder } from '../peft/adapter-folder';
import { fitAdapter, type FittedAdapter } from '../peft/fit';
import type { PlayAdapter } from '../protocol/play-question';
import type { PlayFacts } from '../protocol/playground';
import { readInputs } from '../runs/inputs';
import { runPaths } from '../runs/layout';
import { readRunSummary, type RunSummary } from '../runs/run-summary';
import { readUser } from '../runs/user';

/** An adapter that is added to others: from a run's best evaluation, or from disk. */
export interface AddedAdapter {
  name: string;
  weight: number;
  from: AdapterFolder;
  /** Set for a run's. */
  run?: RunSummary;
}

export const readAdded = (adapters: readonly PlayAdapter[] = []): AddedAdapter[] =>
  adapters.map(({ path, weight }) => {
    if (!existsSync(runPaths(path).spec))
      return { name: basename(resolve(path)), weight, from: readAdapterFolder(path) };
    const run = readRunSummary(path);
    const best = join(runPaths(path).adapter, 'best');
    if (!existsSync(best))
      throw new AuroraError('run', `${path} has not been evaluated yet.`, 'Wait for its first evaluation.');
    return { name: runName(run), weight, from: readAdapterFolder(best), run };
  });

/** The user's name for a run, otherwise its experiment's name and the start of its id. */
export function runName({ folder, id, spec }: RunSummary): string {
  const short = /Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id)?.[1] ?? basename(folder);
  return readUser(folder).name ?? `${spec.name} · ${short}`;
}

/** Weights that a stack is opened with and that change later; undefined for a subject with one adapter as it was trained. */
export interface Weighing {
  names: readonly string[];
  weights: number[];
  stack: AdapterStack;
}

/** The facts about a subject's adapters. */
export const weighingFacts = (weighing: Weighing | undefined): Pick<PlayFacts, 'adapters'> =>
  weighing ? { adapters: weighing.names.map((name, i) => ({ name, weight: weighing.weights[i]! })) } : {};

/** The function that a subject with several adapters has. */
export const weighable = (weighing: Weighing | undefined, changed: () => void = () => {}) =>
  weighing
    ? {
        weigh(weights: readonly number[]): void {
          if (weights.length !== weighing.names.length)
            throw new AuroraError(
              'usage',
              `The number of weights is ${weights.length}, and that of adapters ${weighing.names.length}.`,
              'Give one for each, in the order in which they were loaded.',
            );
          weighing.stack.weigh(weights);
          weighing.weights = [...weights];
          changed();
        },
      }
    : {};

/**
 * @param own the subject's adapters, if it has any
 * @param added to it, on the same model
 * @throws AuroraError for an adapter that does not fit the model, or has a trained head
 */
export function stackOn(
  { graph, layers }: { graph: Graph; layers: readonly LinearLayer[] },
  own: readonly (WeightedAdapters & { name: string })[],
  added: readonly AddedAdapter[],
): Weighing {
  const parts = added.map(({ name, weight, from }) => {
    const fitted = fitAdapter(from, graph, layers);
    requireNoHead(name, fitted);
    return { ...fitted, name, weight };
  });
  const all = [...own, ...parts];
  return {
    names: all.map(({ name }) => name),
    weights: all.map(({ weight }) => weight),
    stack: stackAdapters(all),
  };
}

/** Each head was trained on one adapter's hidden states. */
function requireNoHead(name: string, { head }: Pick<FittedAdapter, 'head'>): void {
  if (head) throw ownHead(name);
}

export const ownHead = (name: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${name} has a trained head, and heads of several adapters cannot be combined.`,
    'Combine adapters whose task has no new head, such as those of language models and pipelines, or compare them side by side: aurora play RUN --with RUN.',
  );

/**
 * Requires that adapters of runs were trained on the same model: the same file or folder, or one with the same content.
 *
 * @throws AuroraError 'adapter' naming the models
 */
export function requireSameModel(own: RunSummary, added: readonly AddedAdapter[]): void {
  for (const { name, run } of added) {
    if (!run || isSameModel(own, run)) continue;
    throw new AuroraError(
      'adapter',
      `${name} was trained on another model than ${runName(own)}: ${run.spec.model.path}, not ${own.spec.model.path}.`,
      'Combine adapters of the same base model.',
    );
  }
}

function isSameModel(a: RunSummary, b: RunSummary): boolean {
  if (resolve(a.spec.model.path) === resolve(b.spec.model.path)) return true;
  const [one, other] = [a, b].map(({ folder }) => contentOf(folder));
  return one !== undefined && one === other;
}

/** The SHA-256 of a model's files, without their paths; undefined if they were not recorded. */
function contentOf(run: string): string | undefined {
  const files = readInputs(run)?.files.filter(({ role }) => role === 'model' || role === 'model-data');
  if (!files || files.length === 0 || files.some(({ sha256 }) => sha256 === null)) return undefined;
  return files
    .map(({ sha256 }) => sha256!)
    .sort()
    .join('\n');
}
