import type { DecoderGraphs } from '../../tasks/decoder-graphs';
import type { Writing } from '../../tasks/kind';
import { availableMemory } from '../micro-batch/available';
import type { MicroBatches } from '../micro-batch/micro-batches';

/** Share of the available memory for the keys and values of texts that are written side by side. */
const SHARE = 0.25;
/** Bytes for them on a system that does not report its memory. */
const UNREPORTED = 2 ** 30;
/** The step to the next token holds them twice: as its input, and with one token more. */
const COPIES = 2;
/** Tokens of the prompts of such texts, which are read at once. */
const PROMPT_TOKENS = 2 ** 14;
/** With more, a step takes hardly less time for each text, also on a GPU. */
export const MOST_TEXTS = 256;

type Limits = Pick<MicroBatches, 'limit' | 'restrict'>;

/**
 * The number of texts that are written side by side, beams included: as many as a share of the memory that was available
 * when a run first wrote. The checkpoints of the run keep that limit, so that a resume has the same batches, and so the
 * same rounding.
 */
export function textsAtOnce(
  cache: DecoderGraphs['cache'],
  writings: readonly Writing[],
  micro: Limits,
  available: () => number | undefined = availableMemory,
): number {
  const prompt = Math.max(1, ...writings.map((w) => w.prompt.length));
  const length = Math.max(1, ...writings.map((w) => w.prompt.length + w.maxTokens));
  const read = Math.min(PROMPT_TOKENS, micro.limit('evaluation').tokens);
  const fitting = Math.min(
    Math.floor(read / prompt),
    Math.floor(tokensAtOnce(cache, micro, available) / length),
  );
  return Math.max(1, Math.min(MOST_TEXTS, fitting, micro.limit('writing').examples));
}

/** Tokens whose keys and values fit. A power of two, so that it seldom depends on what else runs on the machine. */
function tokensAtOnce(
  cache: DecoderGraphs['cache'],
  micro: Limits,
  available: () => number | undefined,
): number {
  const known = micro.limit('writing').tokens;
  if (Number.isFinite(known)) return known;
  const memory = available();
  const bytes = memory === undefined ? UNREPORTED : SHARE * memory;
  const each = COPIES * cache.reduce((sum, { heads, size }) => sum + 4 * heads * size, 0);
  micro.restrict('writing', 2 ** Math.floor(Math.log2(Math.max(1, bytes / each))));
  return micro.limit('writing').tokens;
}
