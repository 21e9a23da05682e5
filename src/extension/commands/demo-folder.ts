import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../../files/atomic';
import { moveFlushed } from '../../files/folder';
import { temporaryBeside } from '../../files/temporary';
import { experimentRuns } from '../../runs/layout';
import { isAlive } from '../../runs/status';
import { AuroraError } from '../../base/errors';
import { statusOf } from '../launcher/run-status';

export const DEMO_EXPERIMENT = 'debian-sections.aurora.json';

/** The folder that the demo makes in a workspace. */
export const DEMO_FOLDER = 'aurora-demo';

/**
 * Puts the demo (model, tokenizer, data, experiment) into `folder`, which then stands alone. What is there
 * already stays as it is, changed or not; what is missing is added. AuroraError where this build carries no
 * demo or the folder cannot be written.
 * @returns the experiment file
 */
export async function makeDemoFolder(bundle: string, folder: string): Promise<string> {
  const names = await readdir(bundle).catch(() => [] as string[]);
  if (!names.includes(DEMO_EXPERIMENT))
    throw new AuroraError(
      'data',
      `This build of AuroRA Lab carries no demo: ${join(bundle, DEMO_EXPERIMENT)} is missing.`,
      'In the repository, `node scripts/demo-bundle.mjs` makes it; otherwise install the extension again.',
    );
  try {
    await mkdir(folder, { recursive: true });
    await Promise.all(names.map((name) => copyMissing(join(bundle, name), join(folder, name))));
    // A model of 28 MB belongs in nobody's repository.
    await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch((e: NodeJS.ErrnoException) => {
      if (e.code !== 'EEXIST') throw e;
    });
  } catch (e) {
    throw diskError(folder, e);
  }
  return join(folder, DEMO_EXPERIMENT);
}

async function copyMissing(source: string, target: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) return;
  const temporary = temporaryBeside(target);
  try {
    // A copy and not a link: what one does to it here must not change the extension.
    await copyFile(source, temporary, constants.COPYFILE_FICLONE);
    await moveFlushed(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The newest run of the experiment that a trainer is at work on. */
export async function liveRun(experimentFile: string): Promise<string | undefined> {
  const runs = experimentRuns(experimentFile);
  const names = await readdir(runs).catch(() => [] as string[]);
  for (const name of names.sort().reverse())
    if (isAlive(await statusOf(join(runs, name)).catch(() => undefined))) return join(runs, name);
  return undefined;
}
