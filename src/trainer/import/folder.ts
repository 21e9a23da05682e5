import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, type SafetensorsFile } from '../../graph/safetensors';
import { AuroraError } from '../../shared/errors';
import { CONFIG_FILE, WEIGHTS_FILE } from '../export/peft';

/** An adapter in PEFT's file layout, as it lies on the disk. */
export interface AdapterFolder extends SafetensorsFile {
  folder: string;
  config: Record<string, unknown>;
}

/** @throws AuroraError 'adapter' where it is none, or not whole */
export function readAdapterFolder(folder: string): AdapterFolder {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new AuroraError(
      'adapter',
      `There is no folder ${folder}.`,
      `Give the folder that holds ${CONFIG_FILE} and ${WEIGHTS_FILE}.`,
    );
  const path = join(folder, WEIGHTS_FILE);
  if (!existsSync(path)) throw withoutWeights(folder);
  const config = readConfig(join(folder, CONFIG_FILE));
  try {
    return { folder, config, ...decodeSafetensors(readFileSync(path), path) };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    throw new AuroraError('adapter', e.message, 'Copy or download the adapter again.', { cause: e });
  }
}

function withoutWeights(folder: string): AuroraError {
  const pickled = readdirSync(folder).find((name) => /\.(bin|pt|pth)$/.test(name));
  return new AuroraError(
    'adapter',
    `${folder} has no ${WEIGHTS_FILE}.`,
    pickled
      ? `${pickled} is a pickle, which can run anything when it is read: load it in PEFT and save it again with safe_serialization=True.`
      : 'Give the folder of an adapter in PEFT’s layout: a run has them under adapter/best and adapter/last.',
  );
}

function readConfig(path: string): Record<string, unknown> {
  const fail = (why: string) =>
    new AuroraError('adapter', `${path} ${why}.`, 'Copy it again from where the adapter came from.');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (e) {
    throw fail(existsSync(path) ? `cannot be read: ${(e as Error).message}` : 'does not exist');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('holds no JSON object');
  return value as Record<string, unknown>;
}
