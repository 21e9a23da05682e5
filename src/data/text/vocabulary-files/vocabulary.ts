import { dirname, join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { readInput } from '../../../files/inputs/open';
import { readJson } from '../json-file';
import { isTokenId } from '../special-tokens';

/** The tokens of a model, without those that were added to it. */
export interface Vocabulary {
  /** The file with the ids. */
  path: string;
  ids: Record<string, number>;
  /** The most frequent pair first; empty for vocab.txt. */
  merges: [string, string][];
}

/** vocab.txt, or vocab.json with merges.txt beside it. @throws AuroraError 'tokenizer' */
export const readVocabulary = (path: string): Vocabulary =>
  path.endsWith('.txt') ? { path, ids: readLines(path), merges: [] } : readPairs(path);

/** A token in each line: its number, from 0 on, is the id, and of two equal ones the last counts (load_vocab of BERT). */
function readLines(path: string): Record<string, number> {
  const lines = readText(path, 'Download the model again.').split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return Object.fromEntries(lines.map((token, id) => [token, id]));
}

function readPairs(path: string): Vocabulary {
  const ids = readJson(path);
  const wrong = Object.entries(ids).find(([, id]) => !isTokenId(id));
  if (wrong)
    throw new AuroraError(
      'tokenizer',
      `${path} gives the token ${JSON.stringify(wrong[0])} the id ${JSON.stringify(wrong[1])}, which is not a number of a token.`,
      'Download the model again.',
    );
  const vocabulary = ids as Record<string, number>;
  return { path, ids: vocabulary, merges: readMerges(join(dirname(path), 'merges.txt'), vocabulary) };
}

/** Pairs of tokens; the first line may state the version. */
function readMerges(path: string, ids: Readonly<Record<string, number>>): [string, string][] {
  const hint =
    'A tokenizer with vocab.json needs the merges.txt that was published with it: download it again.';
  const refused = (at: number, line: string, what: string) =>
    new AuroraError(
      'tokenizer',
      `${path}: merge ${at + 1}, ${JSON.stringify(line.slice(0, 40))}, ${what}.`,
      hint,
    );
  return readText(path, hint)
    .split(/\r?\n/)
    .filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')))
    .map((line, i) => {
      const parts = line.split(' ');
      if (parts.length !== 2) throw refused(i, line, 'is not a pair');
      const [left, right] = parts as [string, string];
      const unknown = [left, right, left + right].find((token) => !Object.hasOwn(ids, token));
      if (unknown !== undefined)
        throw refused(i, line, `has ${JSON.stringify(unknown)}, which is not in vocab.json`);
      return [left, right];
    });
}

function readText(path: string, hint: string): string {
  try {
    return readInput(path, 'tokenizer').toString('utf8');
  } catch (cause) {
    throw new AuroraError('tokenizer', `${path} cannot be read: ${(cause as Error).message}`, hint, {
      cause,
    });
  }
}
