import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { childEnvironment } from '../../files/child-environment';
import { trainerEnvironment } from './environment';
import { NODE_NAME } from '../../executors/package/package-files';
import { MissingError } from '../../executors/missing-piece';

export interface NodeProgram {
  path: string;
  /** Without the "v". */
  version: string;
  from: 'setting' | 'extension' | 'editor';
}

export interface NodePlaces {
  /** The setting aurora.nodePath; empty if not set. */
  setting: string;
  /** The extension's dist folder. */
  dist: string;
  execPath: string;
  /** process.versions.electron: if set, the editor's own binary is not plain Node. */
  electron: string | undefined;
}

const OLDEST = [20, 19];

/** `node --version` answers in a tenth of a second; a cold network disk may take longer. */
const VERSION_TIMEOUT_MS = 10_000;

/**
 * The Node that trains: the setting, otherwise the extension's own, otherwise the extension host's if that is plain
 * Node (a server). MissingError if there is none, or if the setting's is unusable: another Node is never used silently
 * instead of the chosen one.
 */
export async function findNode({ setting, dist, execPath, electron }: NodePlaces): Promise<NodeProgram> {
  if (setting.trim() !== '') return fromSetting(expandHome(setting.trim()));
  const own = join(dist, 'node', NODE_NAME);
  // In the repository it is a link. The real path makes a better process name.
  if (await isFile(own)) return { path: await realpath(own), version: await usable(own), from: 'extension' };
  if (electron === undefined) return { path: execPath, version: await usable(execPath), from: 'editor' };
  throw new MissingError(
    'node',
    `This build of AuroRA Lab does not include Node for ${process.platform}-${process.arch}, and the editor's own executable cannot be used for training.`,
    'Install Node 20.19 or newer and set aurora.nodePath to its path.',
  );
}

async function fromSetting(path: string): Promise<NodeProgram> {
  if (!isAbsolute(path)) throw badSetting(path, 'is not an absolute path');
  if (!(await isFile(path))) throw badSetting(path, 'does not exist or is not a file');
  return { path, version: await usable(path), from: 'setting' };
}

const badSetting = (path: string, what: string) =>
  new MissingError(
    'nodeSetting',
    `The setting aurora.nodePath is ${path}, which ${what}.`,
    'Enter the absolute path of a Node executable (20.19 or newer), or clear the setting.',
  );

async function usable(path: string): Promise<string> {
  const version = await versionOf(path);
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return version;
  throw new MissingError(
    'nodeSetting',
    `${path} is Node ${version}, but training needs ${OLDEST.join('.')} or newer.`,
    'Set aurora.nodePath to the path of a newer Node.',
  );
}

const versions = new Map<string, string>();

/** Run once per version of the file. */
async function versionOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path);
  const key = `${path}:${mtimeMs}:${size}`;
  const known = versions.get(key);
  if (known !== undefined) return known;
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      path,
      ['--version'],
      {
        timeout: VERSION_TIMEOUT_MS,
        env: childEnvironment(trainerEnvironment(process.env)),
        windowsHide: true,
      },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
  }).catch((e: Error) => {
    throw new MissingError(
      'nodeSetting',
      `${path} could not be run as Node: ${e.message.trim()}.`,
      'Set aurora.nodePath to the path of a working Node (20.19 or newer).',
    );
  });
  const version = /^v(\d+\.\d+\.\d+\S*)\s*$/.exec(output)?.[1];
  if (version === undefined)
    throw new MissingError(
      'nodeSetting',
      `${path} is not Node: --version printed "${output.trim().slice(0, 60)}".`,
      'Set aurora.nodePath to the path of a Node executable (20.19 or newer).',
    );
  versions.set(key, version);
  return version;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

const expandHome = (path: string): string =>
  path === '~' || /^~[\\/]/.test(path) ? join(homedir(), path.slice(1)) : path;
