import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../../files/atomic';
import { moveFlushed } from '../../files/folder';
import { temporaryBeside } from '../../files/temporary';
import { experimentRuns } from '../../runs/layout';
import { isAlive } from '../../runs/status';
import { AuroraError } from '../../base/errors';
import { statusOf } from '../../executors/local/run-status';

/**
 * Copies a self-contained demo (model, tokenizer, data, experiment) into `folder`. Existing files are kept, changed
 * or not; missing files are added. Throws an AuroraError if this build has no demo or the folder cannot be written.
 * @returns the experiment file
 */
export async function makeDemoFolder(bundle: string, experiment: string, folder: string): Promise<string> {
  const names = await readdir(bundle).catch(() => [] as string[]);
  if (!names.includes(experiment))
    throw new AuroraError(
      'data',
      `This build of AuroRA Lab does not include the demo: ${join(bundle, experiment)} is missing.`,
      'In the repository, run `node scripts/demo-bundle.mjs`; otherwise reinstall the extension.',
    );
  try {
    await mkdir(folder, { recursive: true });
    await Promise.all(names.map((name) => copyMissing(join(bundle, name), join(folder, name))));
    // A model of up to 28 MB should not be committed.
    await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch((e: NodeJS.ErrnoException) => {
      if (e.code !== 'EEXIST') throw e;
    });
  } catch (e) {
    throw diskError(folder, e);
  }
  return join(folder, experiment);
}

async function copyMissing(source: string, target: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) return;
  const temporary = temporaryBeside(target);
  try {
    // Copied, not linked: changes made here must not affect the extension.
    await copyFile(source, temporary, constants.COPYFILE_FICLONE);
    await moveFlushed(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The newest run of the experiment that is currently being trained. */
export async function liveRun(experimentFile: string): Promise<string | undefined> {
  const runs = experimentRuns(experimentFile);
  const names = await readdir(runs).catch(() => [] as string[]);
  for (const name of names.sort().reverse())
    if (isAlive(await statusOf(join(runs, name)).catch(() => undefined))) return join(runs, name);
  return undefined;
}
