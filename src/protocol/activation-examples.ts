import { THUMBNAIL } from './predictions';
import { areParts, type FilePart } from './row-place';

/** activations/examples.json: the validation rows that the snapshots' example ids refer to. */
export interface ActivationExamples {
  /** Absolute path of the data file, or a pattern. */
  file: string;
  /** The file of each line, for a pattern. */
  parts?: FilePart[];
  examples: ActivationExample[];
}

export interface ActivationExample {
  /** The line in the file where the row starts, one-based. */
  line: number;
  /** Token ids, special tokens included; none of an image. */
  ids: number[];
  image?: ShownImage;
  label?: string;
  /** The row's text, truncated after the part that the model reads; an image has none, nor the fields below. */
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

/** An image as the model reads it. */
export interface ShownImage {
  /** Its path as the data have it. */
  name: string;
  width: number;
  height: number;
  /** A data URI of these pixels; undefined if the image could not be read. */
  picture?: string;
}

/** The part of an image that a token stands for, in shares of its width and height. */
export interface Patch {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Classification, distillation and register tokens before the patches: none in SigLIP, 1 in ViT, 5 in DINOv2. */
const MOST_FIRST = 9;

/**
 * The patch of a token. Patches are square, so their grid has the aspect ratio of the image; the tokens that are too many
 * for a grid come first and stand for no patch.
 *
 * @param positions tokens of each image
 * @returns undefined for a token of no patch, and where no grid fits
 */
export function patchOf(
  { width, height }: Pick<ShownImage, 'width' | 'height'>,
  positions: number,
  token: number,
): Patch | undefined {
  for (let first = 0; first <= MOST_FIRST && first < positions; first++) {
    const columns = Math.round(Math.sqrt(((positions - first) * width) / height));
    const rows = (positions - first) / columns;
    if (!Number.isInteger(rows) || columns * height !== rows * width || rows * columns < 2) continue;
    const at = token - first;
    if (at < 0) return undefined;
    const [column, row] = [at % columns, Math.floor(at / columns)];
    return { left: column / columns, top: row / rows, width: 1 / columns, height: 1 / rows };
  }
  return undefined;
}

/**
 * Layers of diffusers' U-Nets that read the prompt: keys and values of cross-attention, and everything in a text
 * encoder.
 */
const PROMPT_LAYERS = /(^|\.)attn2\.to_[kv]$|^text_encoder(_\d+)?\./;

/**
 * True if the tokens of a layer are a prompt's, in a model that draws pictures; those of its other layers are patches.
 */
export const readsPrompt = (path: string): boolean => PROMPT_LAYERS.test(path);

/** The examples in a file's parsed JSON; undefined if there are none. */
export function parseExamples(value: unknown): ActivationExamples | undefined {
  const { file, parts, examples } = (value ?? {}) as Partial<ActivationExamples>;
  if (typeof file !== 'string' || !Array.isArray(examples)) return undefined;
  if (parts !== undefined && !areParts(parts)) return undefined;
  const whole = examples.every(
    (e) => typeof e?.line === 'number' && Array.isArray(e.ids) && (e.image === undefined || isShown(e.image)),
  );
  return whole ? { file, parts, examples } : undefined;
}

const isShown = ({ name, width, height, picture }: Partial<ShownImage>): boolean =>
  typeof name === 'string' &&
  [width, height].every((side) => Number.isInteger(side) && side! > 0) &&
  (picture === undefined || (typeof picture === 'string' && picture.startsWith(THUMBNAIL)));

/** A token as it is shown: with the surrounding text, or as its pieces if the text is not known. */
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
