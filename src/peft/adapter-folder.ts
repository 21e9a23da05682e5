import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { readStored } from '../files/read';
import { decodeSafetensors, type SafetensorsFile } from '../graph/file/safetensors';
import type { TargetScale } from '../protocol/outputs';
import { LORA_FILE } from './diffusers-lora-file';
import { loraFileAt, readLoraFile } from './lora-file';
import { CONFIG_FILE, OWN_FILE, type OwnWords, WEIGHTS_FILE } from './peft-adapter';

/** An adapter in PEFT's file layout, as stored on disk. */
export interface AdapterFolder {
  folder: string;
  config: Record<string, unknown>;
  tensors: SafetensorsFile['tensors'];
  /** Additional information from our own files. */
  own?: OwnWords;
}

/**
 * @param folder in PEFT's layout, or with the one file of diffusers' layout, or that file or one of kohya's scripts
 * @throws AuroraError 'adapter' if it is not an adapter, or incomplete
 */
export function readAdapterFolder(folder: string): AdapterFolder {
  const file = loraFileAt(folder, WEIGHTS_FILE);
  if (file !== undefined) return readLoraFile(file);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new AuroraError(
      'adapter',
      `The folder ${folder} does not exist.`,
      `Specify the folder that contains ${CONFIG_FILE} and ${WEIGHTS_FILE}, or ${LORA_FILE}, or a LoRA file.`,
    );
  const path = join(folder, WEIGHTS_FILE);
  if (!existsSync(path)) throw withoutWeights(folder);
  const config = readConfig(join(folder, CONFIG_FILE));
  const own = readOwn(join(folder, OWN_FILE));
  try {
    const { tensors } = decodeSafetensors(readStored(path), path);
    for (const [name, { data }] of tensors)
      if (!data.every(Number.isFinite))
        throw new Error(`${path}: ${name} contains values that are not finite.`);
    return { folder, config, tensors, own };
  } catch (e) {
    const { message } = e as Error;
    const told = message.includes(path) ? message : `${path} cannot be read: ${message}.`;
    throw new AuroraError('adapter', told, 'Copy or download the adapter again.', { cause: e });
  }
}

function withoutWeights(folder: string): AuroraError {
  const pickled = readdirSync(folder).find((name) => /\.(bin|pt|pth)$/.test(name));
  return new AuroraError(
    'adapter',
    `${folder} has no ${WEIGHTS_FILE}.`,
    pickled
      ? `${pickled} is a pickle, which can run arbitrary code when it is loaded: load it in PEFT and save it again with safe_serialization=True.`
      : 'Specify an adapter folder in PEFT’s layout, such as adapter/best or adapter/last of a run.',
  );
}

const isPooling = (value: unknown): value is OwnWords['pooling'] =>
  [undefined, 'mean', 'first-token', 'none'].includes(value as OwnWords['pooling']);

const isScale = (value: unknown): value is TargetScale => {
  const { mean, deviation } = (value ?? {}) as Partial<TargetScale>;
  return Number.isFinite(mean) && Number.isFinite(deviation) && deviation! > 0;
};

function readOwn(path: string): OwnWords | undefined {
  if (!existsSync(path)) return undefined;
  const { labels, pooling, scale } = readConfig(path);
  const named = Array.isArray(labels) && labels.every((l) => typeof l === 'string');
  if (isPooling(pooling) && named && (scale === undefined || isScale(scale)))
    return { labels, pooling, scale };
  throw new AuroraError(
    'adapter',
    `${path} has no valid labels, pooling or scale.`,
    'Copy it again, or remove it to use the labels of the data in their order.',
  );
}

function readConfig(path: string): Record<string, unknown> {
  const fail = (why: string) =>
    new AuroraError('adapter', `${path} ${why}.`, 'Copy it again from the source of the adapter.');
  let value: unknown;
  try {
    value = JSON.parse(readStored(path).toString('utf8'));
  } catch (e) {
    throw fail(existsSync(path) ? `cannot be read: ${(e as Error).message}` : 'does not exist');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('is not a JSON object');
  return value as Record<string, unknown>;
}
