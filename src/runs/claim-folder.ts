import { basename, dirname, join } from 'node:path';
import type { ExecutorName } from '../experiment/cluster';
import { runPaths } from './layout';
import { readSweep } from './sweep/record';

/** The files of a claim's folder; its control requests and its log are where a run's are (runPaths). */
export const claimPaths = (folder: string) => ({
  status: runPaths(folder).status,
  frozen: join(folder, 'frozen.json'),
  /** The results so far, for display. */
  progress: join(folder, 'progress.json'),
  certificate: join(folder, 'certificate.json'),
  /** The certificate as Markdown. */
  page: join(folder, 'certificate.md'),
});

/** The trials that a claim searches with, and those that it is tested on: a sweep each. */
export type ClaimPhase = 'search' | 'test';

/** The folder of a claim's sweep, which need not exist: `.aurora/sweeps/<experiment>/claim-<claim>-<phase>`. */
export function claimSweepFolder(claim: string, phase: ClaimPhase): string {
  const ofExperiment = dirname(claim);
  const home = dirname(dirname(ofExperiment));
  return join(home, 'sweeps', basename(ofExperiment), `claim-${basename(claim)}-${phase}`);
}

/** The claim that a sweep belongs to, judging by its path; undefined for any other sweep. */
export function claimOfSweep(sweep: string): { claim: string; phase: ClaimPhase } | undefined {
  const match = /^claim-([0-9a-f]{12})-(search|test)$/.exec(basename(sweep));
  if (!match) return undefined;
  const ofExperiment = dirname(sweep);
  const home = dirname(dirname(ofExperiment));
  const claim = join(home, 'claims', basename(ofExperiment), match[1]);
  return { claim, phase: match[2] as ClaimPhase };
}

/**
 * The place where a claim's trials are trained; undefined before the first one. Where it is moved, its search is moved first.
 *
 * @throws AuroraError 'run' if the record of a sweep is damaged
 */
export function claimPlace(claim: string): ExecutorName | undefined {
  const found = readSweep(claimSweepFolder(claim, 'search')) ?? readSweep(claimSweepFolder(claim, 'test'));
  return found && (found.on ?? 'local');
}

/** True if a folder is a claim's rather than a run's, judging by its path. */
export const isClaimFolder = (folder: string): boolean =>
  basename(dirname(dirname(folder))) === 'claims' &&
  basename(dirname(dirname(dirname(folder)))) === '.aurora';
