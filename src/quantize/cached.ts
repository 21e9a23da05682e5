import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { loadModelFrom } from '../architectures/load';
import type { ModelSource } from '../architectures/model-source';
import { discard, diskError } from '../files/atomic';
import { cacheFolder } from '../files/cache-folder';
import { hashFileNow } from '../files/hash';
import { isInUse, useUntilExit } from '../files/in-use';
import { removeAbandoned, temporaryBeside } from '../files/temporary';
import { isFileRef } from '../graph/model';
import { quantizeModel } from './quantize';
import type { QuantizedForm } from './quantized-graph';

/** Increased whenever an older program would have written something else. */
const VERSION = 4;
const MOST = 8;
/** A file that was used in this time may be about to be read. */
const RECENT_MS = 3_600_000;

/** `int8`: as steps in int8 multiply them. Otherwise: bits in blocks, as `aurora quantize` writes them by default. */
export type CopyForm = 4 | 8 | 'int8';

/** The form in which an experiment with these settings stores its model's weights; undefined: as they are. */
export const copyForm = (quantize: 4 | 8 | undefined, precision: string | undefined): CopyForm | undefined =>
  quantize === 8 && precision === 'int8' ? 'int8' : quantize;

export const formOf = (form: CopyForm): QuantizedForm =>
  form === 'int8' ? 'columns' : { bits: form, blockSize: 32, symmetric: true };

/**
 * An ONNX file of a model with its layers in few bits: in the user's cache, in a folder that is named after the content of the
 * model's files. It is written once, and whole.
 */
export function quantizedCopy(
  source: ModelSource,
  form: CopyForm,
  folder = join(cacheFolder(), 'quantized'),
): string {
  const made = join(folder, keyOf(source, form));
  const name = form === 'int8' ? 'model_int8.onnx' : `model_q${form}.onnx`;
  if (!existsSync(join(made, name))) {
    mkdirSync(folder, { recursive: true });
    removeAbandoned(folder);
    const unfinished = temporaryBeside(made);
    try {
      quantizeModel(source, join(unfinished, name), formOf(form));
      renameSync(unfinished, made);
    } catch (e) {
      discard(unfinished);
      // Another process may have been faster.
      if (!existsSync(join(made, name))) throw diskError(made, e);
    }
    tidy(folder);
  }
  utimesSync(made, new Date(), new Date());
  // A run reads it for as long as it trains, and when it exports.
  useUntilExit(made);
  return join(made, name);
}

function keyOf(source: ModelSource, form: CopyForm): string {
  const files = new Set([source.file, ...configsOf(source)]);
  for (const { data } of loadModelFrom(source, 'stored').graph.initializers.values())
    if (isFileRef(data)) files.add(data.path);
  const sums = [...files].map((path) => hashFileNow(path));
  return createHash('sha256')
    .update(JSON.stringify([VERSION, form, sums]))
    .digest('hex');
}

/** The settings that the graph depends on. For a pipeline, those of its components are beside their weights. */
function configsOf(source: ModelSource): string[] {
  if (source.kind !== 'pipeline') return [];
  const parts = [source.unet, ...source.textEncoders.map(({ model }) => model)];
  return parts.filter(({ kind }) => kind === 'hub').map(({ file }) => file);
}

/** Removes copies that no process uses and none used lately, if there are many. */
function tidy(folder: string): void {
  const found = readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => ({ path: join(folder, name), used: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.used - a.used);
  for (const { path, used } of found.slice(MOST))
    if (Date.now() - used > RECENT_MS && !isInUse(path)) rmSync(path, { recursive: true, force: true });
}
