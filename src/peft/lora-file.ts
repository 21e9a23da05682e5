import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../base/errors';
import { readStored } from '../files/read';
import { decodeSafetensors, type SafetensorsFile } from '../graph/file/safetensors';
import type { AdapterFolder } from './adapter-folder';
import { diffusersLora, LORA_FILE } from './diffusers-lora-file';
import { isKohyaFile, kohyaLora } from './kohya-lora-file';

/**
 * The path of a LoRA in a single file, as diffusers and kohya's scripts write it, if a path holds one: a file, or a folder
 * with one of diffusers and without PEFT's.
 */
export function loraFileAt(path: string, peftFile: string): string | undefined {
  if (
    path.endsWith('.safetensors') &&
    basename(path) !== peftFile &&
    statSync(path, { throwIfNoEntry: false })?.isFile()
  )
    return path;
  const inside = join(path, LORA_FILE);
  return existsSync(inside) && !existsSync(join(path, peftFile)) ? inside : undefined;
}

/**
 * A LoRA in a single file, as PEFT's folder holds it.
 *
 * @throws AuroraError 'adapter' if it cannot be read, or is not in a layout of diffusers or kohya's scripts
 */
export function readLoraFile(path: string): AdapterFolder {
  const file = read(path);
  return isKohyaFile(file) ? kohyaLora(path, file) : diffusersLora(path, file);
}

function read(path: string): SafetensorsFile {
  try {
    const file = decodeSafetensors(readStored(path), path);
    for (const [name, { data }] of file.tensors)
      if (!data.every(Number.isFinite))
        throw new Error(`${path}: ${name} contains values that are not finite.`);
    return file;
  } catch (e) {
    const { message } = e as Error;
    const words = message.includes(path) ? message : `${path} cannot be read: ${message}.`;
    throw new AuroraError('adapter', words, 'Copy or download the adapter again.', { cause: e });
  }
}
