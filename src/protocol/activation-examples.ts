/** activations/examples.json: the validation rows that the snapshots' example ids refer to. */
export interface ActivationExamples {
  /** Absolute path of the data file. */
  file: string;
  examples: ActivationExample[];
}

export interface ActivationExample {
  /** The line in the file where the row starts, one-based. */
  line: number;
  /** Token ids, special tokens included; none of an image. */
  ids: number[];
  /** The name of an image: its path as the data have it. */
  image?: string;
  /** Runs from before the text was stored lack the following fields. */
  label?: string;
  /** The row's text, truncated after what the model reads of it. */
  text?: string;
  cut?: boolean;
  /**
   * Two numbers per token: where it starts and ends in `text`, in UTF-16 units; -1, -1 for a token that is not part of
   * it.
   */
  offsets?: number[];
  /** The text of each token; "" for special tokens. */
  pieces?: string[];
}

/** The examples in a file's parsed JSON; undefined if there are none. */
export function parseExamples(value: unknown): ActivationExamples | undefined {
  const { file, examples } = (value ?? {}) as Partial<ActivationExamples>;
  if (typeof file !== 'string' || !Array.isArray(examples)) return undefined;
  const whole = examples.every((e) => typeof e?.line === 'number' && Array.isArray(e.ids));
  return whole ? { file, examples } : undefined;
}

/** What is shown of one token: the surrounding text, or its pieces if the text is not known. */
export interface TokenInText {
  before: string;
  /** Empty if neither text nor pieces are known. */
  token: string;
  after: string;
}

/** Pieces shown on each side if the position in the text is not known. */
const NEIGHBORS = 6;
/** Characters shown on each side of a token. */
const AROUND = 160;

export function tokenInText({ text, offsets, pieces, ids }: ActivationExample, token: number): TokenInText {
  const [start, end] = [offsets?.[2 * token] ?? -1, offsets?.[2 * token + 1] ?? -1];
  if (text !== undefined && start >= 0)
    return {
      before: (start > AROUND ? '…' : '') + text.slice(Math.max(0, start - AROUND), start),
      token: text.slice(start, end),
      after: text.slice(end, end + AROUND) + (end + AROUND < text.length ? '…' : ''),
    };
  if (pieces === undefined || token >= ids.length) return { before: '', token: '', after: '' };
  const read = (from: number, to: number) => pieces.slice(Math.max(0, from), to).filter(Boolean).join(' ');
  const name = pieces[token] || (token === 0 ? '[first special token]' : '[special token]');
  const before = read(token - NEIGHBORS, token);
  const after = read(token + 1, token + 1 + NEIGHBORS);
  return { before: before && `${before} `, token: name, after: after && ` ${after}` };
}
