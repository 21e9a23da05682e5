import { AuroraError } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { readJsonIfThere } from '../../files/json';
import { markdownText } from '../../protocol/reports/markdown-text';
import { claimPaths } from '../../runs/claim-folder';
import type { Certificate } from '../../study/claim/certificate';
import { isCertificate } from '../../study/claim/claim-files';
import { claimReport } from '../../study/claim/claim-report';
import { hashOf } from './freeze';

/** Writes the certificate as JSON and as a page; the page first, since the JSON closes the claim. */
export function writeCertificate(folder: string, certificate: Certificate): void {
  const paths = claimPaths(folder);
  writeAtomic(paths.page, markdownText(claimReport(certificate)));
  writeAtomic(paths.certificate, `${JSON.stringify(certificate, null, 2)}\n`);
}

/**
 * Undefined if there is none.
 *
 * @throws AuroraError 'run' if it is no certificate, or what it says was frozen does not have its hash
 */
export function readCertificate(path: string): Certificate | undefined {
  const value = readJsonIfThere(path);
  if (value === undefined) return undefined;
  const hint = 'It was changed or damaged; restore it from a copy.';
  if (!isCertificate(value))
    throw new AuroraError('run', `${path} is not a certificate of this version.`, hint);
  if (hashOf(value.frozen) !== value.hash)
    throw new AuroraError(
      'run',
      `${path}: the frozen claim does not have the hash of the certificate.`,
      hint,
    );
  return value;
}
