import type { Config } from '../folder/config';
import { causalBias, type AttentionShape } from './attention';
import { Past } from './past';
import type { Network } from './network';
import {
  counted,
  embedding,
  flat,
  hasLanguageHead,
  HEAD,
  hiddenOutput,
  languageHead,
  textInputs,
} from './text';

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
  /** The epsilon of its norms. */
  epsilon: number;
}

type Embedded = Pick<DecoderSize, 'vocabulary' | 'hidden'>;

/** The inputs that the layers of a decoder share. */
export class DecoderInputs {
  /** A vector tensor: (batch, sequence). */
  readonly rows: string;
  /** The place of each token, from 0 whatever the mask: int64 (sequence), with a cache (batch, sequence). */
  readonly places: string;
  private readonly ids: string;
  private readonly mask: string;
  private readonly past: Past | undefined;
  private readonly biases = new Map<number | undefined, string>();

  /** @throws AuroraError 'model' if tokens attend to later ones */
  constructor(
    private readonly net: Network,
    config: Config,
  ) {
    // The library reads the first for every decoder, the second for Gemma.
    config.require('is_causal', true);
    config.require('use_bidirectional_attention', false);
    ({ ids: this.ids, mask: this.mask, rows: this.rows } = textInputs(net));
    this.past = net.cached ? new Past(net, this.mask, this.rows) : undefined;
    this.places = this.past?.places ?? counted(net, this.rows);
  }

  /**
   * The tokens' rows of a table (vocabulary, hidden): (tokens, hidden).
   *
   * @param scale they are multiplied by it
   */
  embedded(module: string, { vocabulary, hidden }: Embedded, scale = 1): string {
    const x = flat(this.net, embedding(this.net, module, this.ids, vocabulary, hidden), hidden);
    return scale === 1 ? x : this.net.op(module, 'Mul', [x, this.net.float(scale)]);
  }

  /** The embedded tokens, with the rows of a table of positions (most, hidden) added. */
  placed(module: string, positions: string, { vocabulary, hidden }: Embedded, most: number): string {
    const { net, ids, places } = this;
    const tokens = embedding(net, module, ids, vocabulary, hidden);
    return flat(net, net.op('', 'Add', [tokens, embedding(net, positions, places, most, hidden)]), hidden);
  }

  /**
   * The shape of a layer's attention.
   *
   * @param window the number of tokens that are seen, the current one included; all by default
   */
  shape(
    { heads, keyValueHeads, width }: Pick<DecoderSize, 'heads' | 'keyValueHeads' | 'width'>,
    layer: number,
    window?: number,
  ): AttentionShape {
    const extend = this.past?.of(layer, keyValueHeads, width);
    return {
      heads,
      keyValueHeads,
      width,
      rows: this.rows,
      bias: this.bias(window),
      extend,
    };
  }

  private bias(window: number | undefined): string {
    const { net, mask, places, past } = this;
    const found =
      this.biases.get(window) ?? causalBias(net, mask, past?.slots ?? places, window, past?.newSlots);
    this.biases.set(window, found);
    return found;
  }
}

/** The end of a decoder. */
export interface DecoderEnd {
  /** Path of the embedding, whose weight the head has too where they are tied. */
  embedding: string;
  /** Path of the head in the task model; lm_head by default. */
  head?: string;
  /** The default for config.json: true if they are tied. */
  tied: boolean;
  /** Logits are kept below it by a tanh. */
  cap?: number;
  /** Logits are multiplied by it. */
  factor?: number;
}

/** Names the outputs of a decoder from its last hidden states (tokens, hidden), after the final norm. */
export function decoderOutputs(
  net: Network,
  config: Config,
  x: string,
  rows: string,
  { hidden, vocabulary }: Embedded,
  { embedding, head, tied: missing, cap, factor }: DecoderEnd,
): void {
  const asked = config.flag('tie_word_embeddings', missing);
  // A head with other weights than the embedding's stays untied, as in transformers 5.
  const tied = asked && !net.weights.isOther(`${head ?? HEAD}.weight`, `${embedding}.weight`);
  if (hasLanguageHead(net, config, { tied, head }))
    languageHead(net, x, rows, {
      hidden,
      vocabulary,
      head,
      cap,
      factor,
      ...(tied && { tied: `${embedding}.weight` }),
    });
  hiddenOutput(net, x, rows, hidden);
}
