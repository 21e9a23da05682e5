import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { isObject } from '../../base/guards';
import { writeAtomic } from '../../files/atomic';
import { readJsonIfThere } from '../../files/json';
import { markdownText } from '../../protocol/reports/markdown-text';
import type { Certificate } from '../../study/claim/certificate';
import { claimReport } from '../../study/claim/claim-report';
import { hashOf } from './freeze';

/** The certificate and its page. */
export const CERTIFICATE_FILES = ['certificate.json', 'certificate.md'] as const;
const [JSON_FILE, PAGE] = CERTIFICATE_FILES;

export const certificateFile = (folder: string): string => join(folder, JSON_FILE);

/** Writes the certificate as JSON and as a page; the page first, since the JSON closes the claim. */
export function writeCertificate(folder: string, certificate: Certificate): void {
  writeAtomic(join(folder, PAGE), markdownText(claimReport(certificate)));
  writeAtomic(certificateFile(folder), `${JSON.stringify(certificate, null, 2)}\n`);
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

function isCertificate(value: unknown): value is Certificate {
  if (!isObject(value) || value.version !== 1) return false;
  const { sentence, hash, frozen, seeds, methods, runs, looks, verdict, leftOut } = value;
  return (
    [sentence, hash, verdict].every((text) => typeof text === 'string') &&
    isObject(frozen) &&
    isObject(frozen.claim) &&
    isObject(seeds) &&
    [methods, runs, looks, leftOut].every(Array.isArray) &&
    (runs as unknown[]).every(isRun)
  );
}

const isRun = (value: unknown): boolean =>
  isObject(value) &&
  [value.run, value.spec, value.adapter].every((text) => typeof text === 'string') &&
  [value.method, value.seed, value.step].every(Number.isSafeInteger) &&
  isObject(value.results) &&
  isObject(value.values);
