import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import { writeAtomic } from '../../files/atomic';
import { writtenPath } from '../../files/hub-cache';
import { readJsonIfThere } from '../../files/json';
import { claimPaths } from '../../runs/claim-folder';
import { createFolder, experimentClaims } from '../../runs/layout';
import { hashInput } from '../../runs/inputs';
import type { PlannedClaim } from '../../runs/experiment/claim-trials';
import { frozenSettings } from '../../runs/experiment/frozen-settings';
import type { FrozenClaim, FrozenFile } from '../../study/claim/certificate';
import { plannedInputs } from '../../training/inputs/planned';

/** A claim that can no longer change, in its folder. */
export interface Frozen {
  folder: string;
  frozen: FrozenClaim;
  hash: string;
  seeds: { search: number[]; test: number[] };
}

/** Hexadecimal digits of the hash in names of folders. */
const DIGITS = 12;

/** Everything that decides a claim as it is now. Reads every file of the model and the data once. */
export async function freeze(plan: PlannedClaim): Promise<Frozen> {
  const { file, specs } = plan;
  const files = new Map<string, FrozenFile>();
  for (const input of await plannedInputs(specs[0])) {
    const { role, path, sha256, images } = await hashInput(input);
    const name = writtenPath(file, path);
    files.set(name, { role, path: name, sha256, ...(images && { images: images.sha256 }) });
  }
  const frozen: FrozenClaim = {
    version: 1,
    ...frozenSettings(plan),
    files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return frozenIn(experimentClaims(file), frozen);
}

/** The claim with its hash, its seeds and its folder. @param home the folder of the experiment's claims */
export function frozenIn(home: string, frozen: FrozenClaim): Frozen {
  const hash = hashOf(frozen);
  const seeds = claimSeeds(hash, frozen);
  return { folder: join(home, hash.slice(0, DIGITS)), frozen, hash, seeds };
}

export const hashOf = (frozen: FrozenClaim): string =>
  createHash('sha256').update(sortedJson(frozen)).digest('hex');

/** Search seeds are this far from those of the test. */
const APART = 1000;

/**
 * Seeds that follow from everything that is frozen, so that nobody chooses them, and another claim has others. Those of the
 * search are not those of the test.
 */
function claimSeeds(hash: string, { claim, looks }: FrozenClaim): Frozen['seeds'] {
  const first = parseInt(hash.slice(0, 7), 16);
  const from = (start: number, length: number) => Array.from({ length }, (_, i) => start + i);
  return {
    test: from(first, looks.at(-1)!.seeds),
    search: from(first + APART, claim.search.seeds),
  };
}

/** Writes the claim, so that everybody can see what is tested before it is. */
export function writeFrozen({ folder, frozen }: Frozen): void {
  createFolder(folder);
  writeAtomic(claimPaths(folder).frozen, `${JSON.stringify(frozen, null, 2)}\n`);
}

/** Undefined if the claim has not begun. @throws AuroraError 'run' if the file was changed */
export function readFrozen({ folder, hash }: Pick<Frozen, 'folder' | 'hash'>): FrozenClaim | undefined {
  const path = claimPaths(folder).frozen;
  const value = readJsonIfThere(path);
  if (value === undefined) return undefined;
  if (hashOf(value as FrozenClaim) === hash) return value as FrozenClaim;
  throw new AuroraError(
    'run',
    `${path} is not what was frozen: its hash does not match the name of its folder.`,
    'It was changed or damaged; restore it from a copy, or delete the folder and test the claim again.',
  );
}
