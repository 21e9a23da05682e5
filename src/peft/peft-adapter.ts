import { tensorName } from '../adapters/stored-tensors';
import { join } from 'node:path';
import { weightsMetadata } from '../adapters/budget/budget';
import { ownValues } from '../adapters/merge';
import type { AdapterForm } from '../adapters/methods/method';
import { methodOf } from '../adapters/methods/registry';
import { plainAdapter, plainValues, splitValues } from '../adapters/starts/plain-adapter';
import type { LayerAdapter } from '../adapters/targets/select';
import { AuroraError } from '../base/errors';
import { sortedJson } from '../base/sorted-json';
import { writeAtomic } from '../files/atomic';
import { readJson } from '../files/json';
import { encodeSafetensors, type FloatTensor, readSafetensors } from '../graph/file/safetensors';
import { pytorchPathOf } from '../graph/layers/linear';
import { type Outputs, outputsOf } from '../protocol/outputs';
import { HEAD_BIAS, HEAD_WEIGHT, type Pooling } from '../tasks/head';
import { taskKind } from '../tasks/task-registry';
import { type Adapted, headPath, peftConfig } from './adapter-config';
import { peftDims } from './convolution-dims';
import { HEAD_MODULES, headKeys, peftKeys } from './keys';
import { following } from './take';
import { RANK_PATTERN, rankPatternOf, ranksInFile, withAllRanks, withoutUnused } from './used-ranks';

export const CONFIG_FILE = 'adapter_config.json';
export const WEIGHTS_FILE = 'adapter_model.safetensors';
/** The file for values that PEFT's files cannot hold: PEFT rejects unknown keys in its configuration. */
export const OWN_FILE = 'aurora.json';

/** aurora.json */
export interface OwnWords extends Outputs {
  /** The pooling that the head reads, `none` for every token; left out without a head. */
  pooling?: Pooling | 'none';
}

type Parameters = ReadonlyMap<string, Float32Array>;

/**
 * Writes an adapter in PEFT's file layout, as trained, into an existing folder. One that was split off the weights is the
 * equal LoRA of twice the rank on them.
 *
 * @param step the adapter's step; stored with the weights, in the one file that cannot mix two writes
 */
export function writePeftAdapter(
  folder: string,
  adapted: Adapted,
  parameters: Parameters,
  outputs: Outputs,
  form: AdapterForm = 'dynamic',
  step?: number,
): void {
  const { adapters } = adapted;
  const ranks = ranksInFile(adapters, parameters);
  const tensors = new Map<string, FloatTensor>();
  for (const a of adapters.filter(({ beside }) => beside !== 'tied')) {
    const values = plainValues(a, ownValues(a, parameters));
    for (const t of plainAdapter(a).tensors) {
      const { dims, data } = withoutUnused(t, values[t.name], ranks?.get(a.layer.path));
      for (const key of peftKeys(pytorchPathOf(a.layer), t))
        tensors.set(key, { dims: peftDims(a.layer, t.peftName, dims), data, integers: t.integers });
    }
  }
  const config = {
    ...peftConfig(adapted, form),
    ...(ranks && { [RANK_PATTERN]: rankPatternOf(adapters, ranks) }),
  };
  writeFiles(folder, config, tensors, adapted, parameters, outputs, step);
}

/**
 * The files of an adapter, including its head, in an existing folder.
 *
 * @param tensors of its modules, by their keys
 */
export function writeFiles(
  folder: string,
  config: Record<string, unknown>,
  tensors: ReadonlyMap<string, FloatTensor>,
  adapted: Adapted,
  parameters: Parameters,
  outputs: Outputs,
  step?: number,
): void {
  const { labels } = outputs;
  const all = new Map(tensors);
  const weight = parameters.get(HEAD_WEIGHT);
  if (weight) {
    const key = headKeys(headPath(adapted));
    all.set(key.weight, { dims: [labels.length, weight.length / labels.length], data: weight });
    all.set(key.bias, { dims: [labels.length], data: parameters.get(HEAD_BIAS)! });
  }
  const head = taskKind(adapted.spec.task).head(adapted.spec, labels);
  const own: OwnWords = { ...outputsOf(outputs), ...(weight && { pooling: head?.pooling ?? 'none' }) };
  const metadata = step === undefined ? { format: 'pt' } : weightsMetadata(step);
  writeAtomic(join(folder, OWN_FILE), `${JSON.stringify(own, null, 2)}\n`, folder);
  writeAtomic(join(folder, CONFIG_FILE), `${sortedJson(config, 2)}\n`, folder);
  writeAtomic(join(folder, WEIGHTS_FILE), encodeSafetensors(all, metadata), folder);
}

/** The step at which a run wrote an adapter; undefined if there is none or it is damaged. */
export function stepOfAdapter(folder: string): number | undefined {
  try {
    const { step } = readSafetensors(join(folder, WEIGHTS_FILE)).metadata;
    return step === undefined ? undefined : Number(step);
  } catch {
    return undefined;
  }
}

const configIn = (folder: string) => readJson(join(folder, CONFIG_FILE)) as Record<string, unknown>;

/** Reads the files of `writePeftAdapter`, with the graph's tensor names. */
export function readPeftAdapter(
  folder: string,
  adapters: readonly LayerAdapter[],
): Map<string, Float32Array> {
  const path = join(folder, WEIGHTS_FILE);
  const { tensors } = readSafetensors(path);
  const find = (key: string): FloatTensor => {
    const found = tensors.get(key);
    if (!found)
      throw new AuroraError(
        'run',
        `${path} has no tensor ${key}.`,
        'The file belongs to another experiment or has been changed.',
      );
    return found;
  };
  const values = new Map<string, Float32Array>();
  for (const a of adapters.filter(({ beside }) => beside !== 'tied')) {
    const module = pytorchPathOf(a.layer);
    const like = plainAdapter(a);
    const inFile = like.tensors.filter(({ follows }) => !follows);
    const stored = new Map(inFile.map((t) => [t.peftName, find(peftKeys(module, t)[0])]));
    const canLackRanks = methodOf(a.spec).peft.ranks !== undefined;
    const all = canLackRanks ? withAllRanks(folder, configIn(folder), module, stored, a) : stored;
    const plain = Object.fromEntries(inFile.map((t) => [t.name, all.get(t.peftName)!.data]));
    const own = { ...splitValues(a, plain), ...following(like, plain) };
    for (const [name, data] of Object.entries(own)) values.set(tensorName(a, name), data);
  }
  const saved = new Set(adapters.filter((a) => a.beside === 'module').map((a) => pytorchPathOf(a.layer)));
  for (const key of HEAD_MODULES.filter((module) => !saved.has(module)).map(headKeys))
    if (tensors.has(key.weight)) {
      values.set(HEAD_WEIGHT, find(key.weight).data);
      values.set(HEAD_BIAS, find(key.bias).data);
    }
  return values;
}
