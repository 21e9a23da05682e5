import { parseJson } from '../../files/json';
import { readIfThere } from '../../files/read';
import type { claimPaths } from '../../runs/claim-folder';
import { isCertificate, isFrozenClaim, parseProgress } from '../../study/claim/claim-files';
import type { ClaimEntry } from './store';

/** Bytes of a certificate or a frozen claim: those of 1,000 runs have about one million. */
const MOST_BYTES = 8 * 2 ** 20;

/** The content of a claim's files. Never throws: `problem` has the first one that cannot be read. */
export async function claimContent(
  paths: ReturnType<typeof claimPaths>,
): Promise<Pick<ClaimEntry, 'frozen' | 'progress' | 'certificate' | 'problem'>> {
  const [closed, begun, told] = await Promise.all([
    valueOf(paths.certificate),
    valueOf(paths.frozen),
    valueOf(paths.progress),
  ]);
  const certificate = isCertificate(closed.value) ? closed.value : undefined;
  const frozen = isFrozenClaim(begun.value) ? begun.value : certificate?.frozen;
  const progress = frozen && parseProgress(told.value, frozen);
  const problem =
    closed.problem ??
    (closed.value !== undefined && !certificate
      ? `${paths.certificate} is not a certificate of this version.`
      : undefined) ??
    begun.problem ??
    (begun.value !== undefined && !isFrozenClaim(begun.value)
      ? `${paths.frozen} is not a claim of this version.`
      : undefined);
  return {
    ...(frozen && { frozen }),
    ...(progress && { progress }),
    ...(certificate && { certificate }),
    ...(problem !== undefined && { problem }),
  };
}

/** A file's value; neither if it does not exist. */
async function valueOf(path: string): Promise<{ value?: unknown; problem?: string }> {
  try {
    const bytes = await readIfThere(path, MOST_BYTES);
    return bytes ? { value: parseJson(path, bytes) } : {};
  } catch (e) {
    return { problem: (e as Error).message };
  }
}
