import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';
import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import { writeAtomic } from '../../files/atomic';
import { hashFile } from '../../files/hash';
import {
  encodeSafetensors,
  readSafetensors,
  type FloatTensor,
  type SafetensorsFile,
} from '../../graph/file/safetensors';
import { isFileRef, type Model } from '../../graph/model';

/** Results of encoders in a folder, one file for each, named after their inputs. */
export class Kept {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** @returns undefined if it is not there, or damaged */
  read(key: string): SafetensorsFile | undefined {
    const path = this.path(key);
    if (!existsSync(path)) return undefined;
    try {
      return readSafetensors(path);
    } catch (e) {
      if (e instanceof AuroraError) return undefined;
      throw e;
    }
  }

  write(key: string, tensors: ReadonlyMap<string, FloatTensor>, metadata: Record<string, string> = {}): void {
    writeAtomic(this.path(key), encodeSafetensors(tensors, metadata));
  }

  private path(key: string): string {
    return join(this.folder, `${key}.encoded`);
  }
}

/** A name for a result: the same for the same content alone. */
export const keyOf = (content: unknown): string =>
  createHash('sha256').update(sortedJson({ version, content })).digest('hex').slice(0, 32);

/**
 * SHA-256 of a model's own files: those that describe its structure, and its weights.
 *
 * @param path of its config.json, or of its ONNX file
 */
export async function modelHashes(model: Model, path: string): Promise<string[]> {
  const weights = [...model.graph.initializers.values()].flatMap(({ data }) =>
    isFileRef(data) ? [data.path] : [],
  );
  const files = [...new Set([path, ...weights])].sort();
  const hashes: string[] = [];
  for (const file of files) hashes.push((await hashFile(file)).sha256);
  return hashes;
}
