import { realpath } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AuroraError } from '../../base/errors';
import { prototypeProblem } from '../../runs/experiment/overrides';

/** The input that a language model passed to a tool: VS Code does not check it against the tool's schema. */
export type ToolInput = Readonly<Record<string, unknown>>;

const wrong = (key: string, what: string): AuroraError =>
  new AuroraError('usage', `"${key}" must be ${what}.`, "See the tool's input schema.");

export function text(input: ToolInput, key: string): string {
  const value = optionalText(input, key);
  if (value === undefined) throw wrong(key, 'given');
  return value;
}

export function optionalText(input: ToolInput, key: string): string | undefined {
  const value = input[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw wrong(key, 'a string');
  return value;
}

/** A whole number of at least `least`. */
export function optionalCount(input: ToolInput, key: string, least = 1): number | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < least)
    throw wrong(key, `a whole number of at least ${least}`);
  return value as number;
}

export function optionalTexts(input: ToolInput, key: string): string[] | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((v) => typeof v === 'string'))
    throw wrong(key, 'an array of strings');
  return value;
}

/** Settings that a run may change without its file: none that names a file. */
const CHANGEABLE = /^(adapter|training)(\.[A-Za-z]\w*)+$/;

/** `settings`, by dotted key, as the command line takes them: "training.learningRate=0.001". */
export function changedSettings(input: ToolInput): string[] {
  const value = input.settings ?? {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw wrong('settings', 'an object of settings by dotted key, such as { "training.epochs": 1 }');
  return Object.entries(value as object).map(([key, v]) => {
    const wrong = prototypeProblem(key.split('.'));
    if (wrong !== undefined)
      throw new AuroraError('usage', `${wrong}.`, 'Check the spelling of the setting.');
    if (!CHANGEABLE.test(key))
      throw new AuroraError(
        'usage',
        `The setting ${key} cannot be changed for one run.`,
        'Change only adapter.* and training.*; edit the experiment file for anything else.',
      );
    return `${key}=${JSON.stringify(v)}`;
  });
}

/**
 * The absolute path of a file or folder that a language model named. It must exist in the workspace, also after symbolic
 * links are followed.
 *
 * @param folders of the workspace
 * @param given absolute, or relative to one of the folders, whose name may come first
 * @throws AuroraError 'usage'
 */
export async function inWorkspace(folders: readonly string[], given: string): Promise<string> {
  const paths = isAbsolute(given)
    ? [resolve(given)]
    : folders.flatMap((folder) => [resolve(folder, given), ...afterName(folder, given)]);
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
  let outside = false;
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    const known = roots.some((root) => isWithin(root, real ?? path));
    if (real !== undefined && known) return path;
    outside ||= !known;
  }
  if (outside)
    throw new AuroraError(
      'usage',
      `${given} is outside the workspace, so it is not read.`,
      'Name a file of the workspace, relative to its folder.',
    );
  throw new AuroraError(
    'usage',
    `There is no ${given} in the workspace.`,
    'Give the path relative to the workspace folder.',
  );
}

/** In a workspace of several folders, VS Code names a file by its folder's name and the path in it. */
const afterName = (folder: string, given: string): string[] => {
  const [first, ...rest] = given.split(/[\\/]/);
  return first === basename(folder) ? [join(folder, ...rest)] : [];
};

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
