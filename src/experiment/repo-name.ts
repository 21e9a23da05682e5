import { AuroraError } from '../base/errors';

/** The maximum length of a repo id (utils/_validators.py of huggingface_hub). */
const MOST = 96;
const NAME = /^(?!.*(--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;

/** @throws AuroraError 'usage' if the hub takes no repository of this name */
export function requireRepoId(id: string): void {
  const parts = id.split('/');
  const isOk = parts.length === 2 && parts.every((part) => NAME.test(part)) && id.length <= MOST;
  if (isOk && !id.endsWith('.git')) return;
  throw new AuroraError(
    'usage',
    `"${id}" cannot be the name of a repository.`,
    'Use OWNER/NAME, with letters, digits, and single "-", "_" and "." in between.',
  );
}

/** A repository's name made of others: "RTE with AuroRA" becomes "RTE-with-AuroRA". */
export function repoName(text: string): string {
  const name = text
    .normalize('NFKD')
    // Accents, which are characters of their own now.
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/[-.]*-[-.]*/g, '-')
    .replace(/[.]{2,}/g, '.')
    .slice(0, 60)
    .replace(/^[-.]+|[-.]+$/g, '')
    .replace(/[.]git$/, '');
  return NAME.test(name) ? name : 'adapter';
}
