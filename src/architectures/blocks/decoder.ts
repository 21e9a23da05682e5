import type { Config } from '../folder/config';
import { causalBias, type AttentionShape } from './attention';
import type { Network } from './network';
import { counted, embedding, flat, hasLanguageHead, hiddenOutput, languageHead, textInputs } from './text';

/** Sizes of a decoder. */
export interface DecoderSize {
  hidden: number;
  /** Width of the feed-forward part. */
  inner: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  /** Size of a head. */
  width: number;
  vocabulary: number;
  /** Of its norms. */
  epsilon: number;
}

/** What the layers of a decoder share. */
export class DecoderInputs {
  /** A vector tensor: (batch, sequence). */
  readonly rows: string;
  /** The place of each token, from 0 whatever the mask says: int64 (sequence). */
  readonly places: string;
  private readonly ids: string;
  private readonly mask: string;
  private readonly biases = new Map<number | undefined, string>();

  constructor(private readonly net: Network) {
    ({ ids: this.ids, mask: this.mask, rows: this.rows } = textInputs(net));
    this.places = counted(net, this.rows);
  }

  /**
   * The tokens' rows of a table (vocabulary, hidden): (tokens, hidden).
   *
   * @param scale they are multiplied by it
   */
  embedded(module: string, { vocabulary, hidden }: DecoderSize, scale = 1): string {
    const x = flat(this.net, embedding(this.net, module, this.ids, vocabulary, hidden), hidden);
    return scale === 1 ? x : this.net.op(module, 'Mul', [x, this.net.float(scale)]);
  }

  /**
   * The shape of a layer's attention.
   *
   * @param window how many tokens are seen, the current one included; all by default
   */
  shape({ heads, keyValueHeads, width }: DecoderSize, window?: number): AttentionShape {
    return { heads, keyValueHeads, width, rows: this.rows, bias: this.bias(window) };
  }

  private bias(window: number | undefined): string {
    const found = this.biases.get(window) ?? causalBias(this.net, this.mask, this.places, window);
    this.biases.set(window, found);
    return found;
  }
}

/** How a decoder ends. */
export interface DecoderEnd {
  /** Path of the embedding, whose weight the head has too where they are tied. */
  embedding: string;
  /** Whether they are tied if config.json does not say. */
  tied: boolean;
  /** Logits are kept below it by a tanh. */
  cap?: number;
}

/** Names the outputs of a decoder from its last hidden states (tokens, hidden), after the final norm. */
export function decoderOutputs(
  net: Network,
  config: Config,
  x: string,
  rows: string,
  { hidden, vocabulary }: DecoderSize,
  { embedding, tied: missing, cap }: DecoderEnd,
): void {
  const tied = config.flag('tie_word_embeddings', missing);
  if (hasLanguageHead(net, config, tied))
    languageHead(net, x, rows, { hidden, vocabulary, cap, ...(tied && { tied: `${embedding}.weight` }) });
  hiddenOutput(net, x, rows, hidden);
}
