import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { combinations } from '../../experiment/claim';
import { temporaryFolderFor } from '../../files/system-temporary';
import type { PlannedClaim } from '../../runs/experiment/claim-trials';
import type { ClaimCost } from '../../study/claim/certificate';
import { LOOKS } from '../../study/claim/verdict';
import { removedAtEnd } from '../../training/process/removed-at-exit';
import { measureTrial } from '../room';

/** Steps that are measured of each method. */
const STEPS = 3;

/** The cost of a claim, one run after another. */
export interface MeasuredCost {
  /** Seconds of a run of each method. */
  runs: number[];
  /** With the first values and the first look. */
  least: ClaimCost;
  /** With every extension and the last look. */
  most: ClaimCost;
}

/**
 * Measures a few steps of each method.
 *
 * @param program this program, dist/cli.cjs
 * @param place options for the engine and the device
 * @throws AuroraError 'failed' if a method cannot be trained
 */
export async function claimCost(
  { claim, specs }: PlannedClaim,
  program: string,
  place: readonly string[],
): Promise<MeasuredCost> {
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
  const { parameters, seeds, extend } = claim.search;
  const isList = (values: readonly unknown[]) =>
    values.length > 1 && values.every((v) => typeof v === 'number');
  const largest = Object.values(parameters).reduce(
    (n, values) => n * (values.length + (isList(values) ? 2 * extend : 0)),
    1,
  );
  const one = runs.reduce((a, b) => a + b, 0);
  const cost = (trials: number, tested: number): ClaimCost => ({
    runs: specs.length * (trials * seeds + tested),
    seconds: one * (trials * seeds + tested),
  });
  return {
    runs,
    least: cost(combinations(parameters).length, LOOKS[0]!.seeds),
    most: cost(largest, LOOKS.at(-1)!.seeds),
  };
}
