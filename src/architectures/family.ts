import type { Network } from './blocks/network';
import type { DecoderFacts } from './blocks/decoder';
import type { Config } from './folder/config';

/** Models with one `model_type`. */
export interface Family {
  /** The prefixes of the base model's weights in task models. */
  prefixes: readonly string[];
  /** A weight that each of them has. */
  marker: string;
  /** A module around the model, with its dot, that transformers 5.16 does not write into names of a fresh model. */
  outer?: string;
  /** True if it can have a key/value cache: it is a decoder. */
  caches?: boolean;
  /** The settings of a decoder, with the defaults of its family, for those who write it in another format. */
  facts?(config: Config): DecoderFacts;
  /** Writes the graph: inputs, nodes, outputs. Obeys or refuses each setting that changes the result. */
  build(net: Network, config: Config): void;
}
