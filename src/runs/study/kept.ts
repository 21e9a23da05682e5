import { join } from 'node:path';
import { parseGeometry, type Geometry } from '../../study/geometry';
import { parseMerged, type MergedMetrics } from '../../study/study-run';
import { runPaths, stepName } from '../layout';
import { PATIENT, type RunFiles } from '../run-files';

export const geometryFile = (run: string): string => join(runPaths(run).study, 'geometry.json');

export const mergedFile = (run: string, step: number): string =>
  join(runPaths(run).study, `merged-${stepName(step)}.json`);

/** SHA-256 of a checkpoint's adapter, according to its state; undefined if the checkpoint is missing. */
export async function adapterSum(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<string | undefined> {
  const state = await readValue(files, join(runPaths(run).checkpoints, stepName(step), 'state.json'));
  const sum = (state as { sha256?: Record<string, unknown> } | undefined)?.sha256?.['adapter.safetensors'];
  return typeof sum === 'string' ? sum : undefined;
}

/** Undefined if there are none, or they belong to an adapter other than the checkpoint's. */
export async function readMerged(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<MergedMetrics | undefined> {
  const kept = parseMerged(await readValue(files, mergedFile(run, step)));
  return kept && kept.adapter === (await adapterSum(run, step, files)) ? kept : undefined;
}

/** Undefined if there is none up to this step, or it belongs to an adapter other than the checkpoint's. */
export async function readGeometry(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<Geometry | undefined> {
  const kept = parseGeometry(await readValue(files, geometryFile(run)));
  const last = kept?.from.at(-1);
  return last?.step === step && last.sha256 === (await adapterSum(run, step, files)) ? kept : undefined;
}

/** A damaged file counts as missing, since it can be computed again. */
async function readValue(files: RunFiles, path: string): Promise<unknown> {
  const bytes = await files.read(path);
  try {
    return bytes && (JSON.parse(bytes.toString('utf8')) as unknown);
  } catch {
    return undefined;
  }
}
