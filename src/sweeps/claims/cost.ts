import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { combinations } from '../../experiment/claim';
import { temporaryFolderFor } from '../../files/system-temporary';
import type { PlannedClaim } from '../../runs/experiment/claim-trials';
import type { AnnouncedCost } from '../../study/claim/claim-files';
import type { ClaimCost } from '../../study/claim/certificate';
import { removedAtEnd } from '../../training/process/removed-at-exit';
import { measureTrial } from '../room';

/** Steps that are measured of each method. */
const STEPS = 3;

/**
 * Measures a few steps of each method on this machine.
 *
 * @param program this program, dist/cli.cjs
 * @param place options for the engine and the device
 * @returns the seconds of a run of each method
 * @throws AuroraError 'failed' if a method cannot be trained
 */
export async function measureRuns(
  specs: PlannedClaim['specs'],
  program: string,
  place: readonly string[],
): Promise<number[]> {
  const work = temporaryFolderFor('claim');
  const remove = removedAtEnd(work);
  const runs: number[] = [];
  try {
    for (const [i, spec] of specs.entries()) {
      const file = join(work, `method-${i + 1}.aurora.json`);
      writeFileSync(file, JSON.stringify(spec));
      const { seconds, problem } = await measureTrial(program, file, place, () => false, STEPS);
      if (seconds === undefined)
        throw new AuroraError(
          'failed',
          problem?.message ?? 'A method of the claim could not be measured.',
          problem?.hint,
        );
      runs.push(seconds);
    }
  } finally {
    remove();
  }
  return runs;
}

/**
 * The cost of a claim: with the first values and the first look, and with every extension and the last look.
 *
 * @param measured the seconds of a run of each method, one run after another; undefined if they are not known
 */
export function claimCost(
  { claim, looks, specs }: Pick<PlannedClaim, 'claim' | 'looks' | 'specs'>,
  measured?: readonly number[],
): Pick<AnnouncedCost, 'least' | 'most'> {
  const { parameters, seeds, extend } = claim.search;
  const isList = (values: readonly unknown[]) =>
    values.length > 1 && values.every((v) => typeof v === 'number');
  const largest = Object.values(parameters).reduce(
    (n, values) => n * (values.length + (isList(values) ? 2 * extend : 0)),
    1,
  );
  const one = measured?.reduce((a, b) => a + b, 0);
  const cost = (trials: number, tested: number): ClaimCost => ({
    runs: specs.length * (trials * seeds + tested),
    ...(one !== undefined && { seconds: one * (trials * seeds + tested) }),
  });
  return {
    least: cost(combinations(parameters).length, looks[0]!.seeds),
    most: cost(largest, looks.at(-1)!.seeds),
  };
}
