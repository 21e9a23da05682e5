import { resolve } from 'node:path';
import {
  combinePairs,
  type CombinationRule,
  seededDraw,
  type Term,
} from '../../adapters/combine/combine-pairs';
import { exactly } from '../../adapters/targets/targets';
import { modelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { nameTable } from '../../base/names';
import { Turns } from '../../data/turns';
import type { Experiment } from '../../experiment/experiment';
import type { FloatTensor } from '../../graph/file/safetensors';
import type { AdapterFolder } from '../../peft/adapter-folder';
import { HEAD_KEY, peftKey } from '../../peft/keys';
import { type Combination, combinationSteps, type MajoritySignMethod } from '../../protocol/combination';
import type { CombinationRecord } from '../../protocol/combination-record';
import type { CombineLine } from '../../protocol/combine';
import { readRunSummary } from '../../runs/run-summary';
import type { At } from '../checkpoint/trained-run';
import { adapterRun, type Imported } from '../import/import-adapter';
import { type BaseModel, readModel } from '../task/adapted-model';
import { chosenHead } from './chosen-head';
import {
  isRun,
  type LinearModule,
  type LinearSource,
  requireSource,
  sourceOfFolder,
  sourceOfRun,
} from './linear-source';
import { requireSameModel } from './same-model';

export interface CombineRequest {
  /** Folders of runs, or of adapters in PEFT's layout. */
  adapters: readonly string[];
  /** One for each; by default, those of the mean. */
  weights?: readonly number[];
  combination: Combination;
  /** The rank of a singular value decomposition; by default, the largest of the adapters. */
  rank?: number;
  /** The share of values that is kept, in (0, 1]. */
  density?: number;
  majoritySignMethod: MajoritySignMethod;
  /** The seed of the dropped values; by default, that of the experiment. */
  seed?: number;
  /** The state of the runs. */
  at: At;
  headOf?: string;
  /** The model, the data and the settings of the new run; by default, those of the first run. */
  experiment?: { spec: Experiment; file: string };
  /** The folder in which the run is created. */
  runs: string;
  name?: string;
  /** The built hash-worker. */
  hashWorker: string;
  emit: (line: CombineLine) => void | Promise<void>;
}

export interface Combined extends Imported {
  record: CombinationRecord;
  /** With a singular value decomposition: the share of the squared norm of all changes that the rank holds. */
  kept?: number;
}

/**
 * Makes one LoRA of the adapters of several runs or folders, and a run that has it as its step 0, evaluated, as an
 * import does.
 *
 * @throws AuroraError 'adapter' if an adapter is no low-rank product, or they do not fit together; 'usage' for settings
 *   that do not fit the combination
 */
export async function combineAdapters(request: CombineRequest): Promise<Combined> {
  const { emit, combination } = request;
  const steps = combinationSteps(combination);
  await emit({ kind: 'preparing' });
  request.adapters.forEach(requireSource);
  const sources = await readSources(request, !steps.prunes);
  const first = sources.find(({ run }) => run);
  const spec = request.experiment?.spec ?? first!.run!.spec;
  requireSameModel(sources, spec, request.experiment?.file ?? first!.given);
  const headed = chosenHead(sources, request.headOf);
  const head = headed?.head;
  const weights = request.weights ?? sources.map(() => (steps.elects ? 1 : 1 / sources.length));
  const rank = request.rank ?? Math.max(...sources.flatMap(({ modules }) => ranksIn(modules)));
  const seed = request.seed ?? spec.training.seed;
  const rule: CombinationRule = {
    ...{ combination, rank },
    density: request.density,
    majoritySignMethod: request.majoritySignMethod,
    draw: seededDraw(seed),
  };
  const { tensors, ranks, kept } = await combinedTensors(sources, weights, rule, emit);
  if (head) {
    const labels = head.bias.length;
    tensors.set(HEAD_KEY.weight, { dims: [labels, head.weight.length / labels], data: head.weight });
    tensors.set(HEAD_KEY.bias, { dims: [labels], data: head.bias });
  }
  const record: CombinationRecord = {
    combination,
    adapters: sources.map(({ name, run, isFitted }, i) => ({
      ...{ name, weight: weights[i] },
      ...(run && { step: run.step }),
      ...(isFitted && { fitted: true as const }),
    })),
    ...(steps.decomposes && { rank }),
    ...(steps.prunes && { density: rule.density }),
    ...(steps.elects && { majoritySignMethod: rule.majoritySignMethod }),
    ...(steps.prunes === 'random' && { seed }),
    ...(request.headOf !== undefined && { headOf: headed!.name }),
  };
  const from: AdapterFolder = {
    folder: 'The combination',
    config: loraConfig(ranks, tensors, Math.min(...sources.map(({ dropout }) => dropout))),
    tensors,
    ...(head?.own && { own: head.own }),
  };
  await emit({ kind: 'measuring' });
  const imported = await adapterRun(from, {
    experiment: withOutput(spec, headed),
    runs: request.runs,
    name: request.name ?? nameOf(record),
    hashWorker: request.hashWorker,
    origin: { adapter: sources.map(({ name }) => name).join(', '), peftType: 'LORA', combination: record },
  });
  const warnings = [...sources.flatMap((source) => source.warnings), ...imported.warnings];
  return { ...imported, warnings, record, ...(kept !== undefined && { kept }) };
}

async function readSources(
  { adapters, at, experiment, emit }: CombineRequest,
  withBiases: boolean,
): Promise<LinearSource[]> {
  const first = adapters.find(isRun);
  const spec = experiment?.spec ?? (first === undefined ? undefined : readRunSummary(first).spec);
  if (!spec)
    throw new AuroraError(
      'usage',
      'Adapters alone have neither a model nor data to be evaluated on.',
      'Give at least one run, or an experiment with --experiment FILE.',
    );
  const sources: LinearSource[] = [];
  let base: BaseModel | undefined;
  for (const [done, given] of adapters.entries()) {
    await emit({ kind: 'reading', adapter: given, done, of: adapters.length });
    sources.push(
      isRun(given)
        ? await sourceOfRun(given, { at, withBiases, emit })
        : sourceOfFolder(given, (base ??= readModel(modelSource(spec.model.path), spec))),
    );
  }
  return sources;
}

const ranksIn = (modules: ReadonlyMap<string, LinearModule>): number[] =>
  [...modules.values()].map(({ rank }) => rank);

/** The combined tensors by PEFT's keys, and the rank of each module by its path. */
async function combinedTensors(
  sources: readonly LinearSource[],
  weights: readonly number[],
  rule: CombinationRule,
  emit: CombineRequest['emit'],
): Promise<{ tensors: Map<string, FloatTensor>; ranks: Map<string, number>; kept?: number }> {
  const paths = [...new Set(sources.flatMap(({ modules }) => [...modules.keys()]))].sort();
  const isBiased = sources.some(({ modules }) => [...modules.values()].some(({ bias }) => bias));
  if (isBiased && combinationSteps(rule.combination).prunes) throw withoutBias(sources, rule.combination);
  const tensors = new Map<string, FloatTensor>();
  const ranks = new Map<string, number>();
  const turns = new Turns();
  let [kept, norm] = [0, 0];
  for (const [done, path] of paths.entries()) {
    await emit({ kind: 'combining', done, of: paths.length });
    if (turns.due) await turns.take();
    const own = sources.flatMap((source, adapter) => {
      const module = source.modules.get(path);
      return module ? [{ source, term: { ...module, weight: weights[adapter], adapter } }] : [];
    });
    requireFitting(path, own, rule);
    const [{ inFeatures, outFeatures }] = own.map(({ term }) => term);
    const made = combinePairs(
      own.map(({ term }) => term),
      rule,
      done,
    );
    kept += made.kept ?? 0;
    norm += made.norm ?? 0;
    ranks.set(path, made.rank);
    tensors.set(peftKey(path, 'lora_A.weight'), { dims: [made.rank, inFeatures], data: made.A });
    tensors.set(peftKey(path, 'lora_B.weight'), { dims: [outFeatures, made.rank], data: made.B });
    if (isBiased)
      tensors.set(peftKey(path, 'lora_B.bias'), {
        dims: [outFeatures],
        data: made.bias ?? new Float32Array(outFeatures),
      });
  }
  await emit({ kind: 'combining', done: paths.length, of: paths.length });
  return { tensors, ranks, ...(norm > 0 && { kept: kept / norm }) };
}

interface Own {
  source: LinearSource;
  term: Term & LinearModule;
}

/** @throws AuroraError 'adapter' if one module's parts cannot be combined by the rule */
function requireFitting(path: string, [first, ...others]: Own[], { combination }: CombinationRule): void {
  const shape = ({ term }: Own) => `${term.outFeatures} × ${term.inFeatures}`;
  const other = others.find((own) => shape(own) !== shape(first));
  if (other)
    throw new AuroraError(
      'adapter',
      `${path} is ${shape(first)} in ${first.source.given} and ${shape(other)} in ${other.source.given}.`,
      'Combine adapters of one model.',
    );
  const { inFeatures, outFeatures } = first.term;
  if (combination === 'cat') {
    const rank = [first, ...others].reduce((sum, { term }) => sum + term.rank, 0);
    const most = Math.min(inFeatures, outFeatures);
    if (rank <= most) return;
    throw new AuroraError(
      'adapter',
      `The ranks add up to ${rank} on ${path}, which is ${shape(first)} and allows ${most}.`,
      'Use --combination svd, which holds the same sum in a smaller rank.',
    );
  }
  if (combinationSteps(combination).decomposes) return;
  const ranked = others.find(({ term }) => term.rank !== first.term.rank);
  if (ranked)
    throw new AuroraError(
      'adapter',
      `${first.source.given} has rank ${first.term.rank} on ${path}, and ${ranked.source.given} rank ${ranked.term.rank}: ${combination} needs one rank, since it works on A and on B.`,
      `Use ${combination === 'linear' ? 'svd or cat' : `${combination}_svd`}, which takes different ranks.`,
    );
}

function withoutBias(sources: readonly LinearSource[], combination: Combination): AuroraError {
  const of = sources.find(({ modules }) => [...modules.values()].some(({ bias }) => bias))!;
  return new AuroraError(
    'adapter',
    `${of.given} has biases (lora_bias), for which ${combination} has no rule.`,
    'Use linear, cat or svd, which add them up.',
  );
}

/** The settings of a LoRA whose product is not scaled: alpha is the rank, in each module. */
function loraConfig(
  ranks: ReadonlyMap<string, number>,
  tensors: ReadonlyMap<string, FloatTensor>,
  dropout: number,
): Record<string, unknown> {
  const rank = Math.max(...ranks.values());
  const alphas = nameTable<number>();
  for (const [path, own] of ranks) if (own !== rank) alphas[exactly(path)] = own;
  return {
    peft_type: 'LORA',
    r: rank,
    lora_alpha: rank,
    lora_dropout: dropout,
    alpha_pattern: alphas,
    lora_bias: [...tensors.keys()].some((key) => key.endsWith('.lora_B.bias')),
  };
}

/** The experiment with the output of the model that the head reads. */
const withOutput = (spec: Experiment, head: LinearSource | undefined): Experiment =>
  head?.run ? { ...spec, model: { ...spec.model, output: head.run.spec.model.output } } : spec;

/** "svd of a, b" */
function nameOf(record: CombinationRecord): string {
  const names = record.adapters.map(({ name }) => name);
  const shown = names.length > 3 ? [`${names.length} adapters`] : names;
  return `${record.combination} of ${shown.join(', ')}`;
}

/** The folder of the new run if it is not given: beside the first run. */
export function runsBeside(adapters: readonly string[]): string | undefined {
  const first = adapters.find(isRun);
  return first === undefined ? undefined : resolve(first, '..');
}
