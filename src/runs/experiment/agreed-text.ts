import { createHash } from 'node:crypto';
import { AuroraError } from '../../base/errors';

/** The option of a program for the text that a person has agreed to, whatever the file has by then. */
export const agreedArguments = (text: string): string[] => ['--text-sha256', sha256Of(text)];

/**
 * @param text of an experiment file, as the program that starts has read it
 * @param agreed the SHA-256 of the text that was agreed to, in UTF-8 without a byte order mark; undefined: any text
 * @returns the text
 * @throws AuroraError 'usage' if it is another one
 */
export function agreedText(file: string, text: string, agreed: string | undefined): string {
  if (agreed !== undefined && sha256Of(text) !== agreed)
    throw new AuroraError(
      'usage',
      `${file} is no longer the text that was agreed to, so nothing was started.`,
      'Start it again, and agree to the experiment as it is now.',
    );
  return text;
}

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
