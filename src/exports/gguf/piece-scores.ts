import { AuroraError } from '../../base/errors';

/** The score of tokens that no merge makes, such as special ones. */
const LEAST = -10_000_000;

/**
 * Scores by which llama.cpp merges pieces as the merges of a tokenizer.json do: the earlier a piece is made, the higher its
 * score. llama.cpp tries all pairs whose text is a piece, so that each such pair must be a merge, as in files that were
 * converted from SentencePiece.
 *
 * @param isPiece true for the id of a token that is made by merging, or a single character
 * @throws AuroraError 'tokenizer' if llama.cpp would merge pieces that the tokenizer does not
 */
export function pieceScores(
  path: string,
  tokens: readonly string[],
  isPiece: (id: number) => boolean,
  merges: readonly (readonly [string, string])[],
): number[] {
  const first = new Map<string, number>();
  const pairs = new Set<string>();
  merges.forEach(([left, right], i) => {
    const whole = left + right;
    if (!first.has(whole)) first.set(whole, i);
    pairs.add(`${left}\0${right}`);
  });
  const pieces = new Set(tokens.filter((_, id) => isPiece(id)));
  return tokens.map((token, id) => {
    if (!isPiece(id)) return LEAST;
    const characters = [...token];
    for (let at = 1; at < characters.length; at++) {
      const [left, right] = [characters.slice(0, at).join(''), characters.slice(at).join('')];
      if (pieces.has(left) && pieces.has(right) && !pairs.has(`${left}\0${right}`))
        throw new AuroraError(
          'tokenizer',
          `${path} has the pieces ${JSON.stringify(left)}, ${JSON.stringify(right)} and ${JSON.stringify(token)} without a merge of the first two, so llama.cpp would divide texts otherwise.`,
          'Export with --as safetensors.',
        );
    }
    return -(first.get(token) ?? -LEAST);
  });
}
