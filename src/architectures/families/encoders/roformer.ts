import { realPower } from '../../../base/power';
import type { AttentionOptions } from '../../blocks/attention';
import { bertEmbeddings } from '../../blocks/bert-embeddings';
import { linear } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import { rotary, rotation, type Rotate } from '../../blocks/rope';
import { counted, embedding, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, encoderSize } from '../../settings';
import { bertLayers, requireEncoder } from './bert';

/** transformers' RoFormerConfig and modeling_roformer.py: BERT with rotary embeddings in place of a table of positions. */
export const roformer: Family = {
  prefixes: ['roformer.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    requireEncoder(config);
    const sizes = encoderSize(config, BASE_SIZE);
    const { hidden, width, epsilon } = sizes;
    const size = config.count('embedding_size', hidden);
    const inputs = textInputs(net);
    const embedded = bertEmbeddings(net, config, inputs, { size, epsilon }, { vocabulary: 50000, types: 2 });
    const x =
      size === hidden ? embedded : linear(net, 'embeddings_project', embedded, { from: size, to: hidden });
    const rotate = rotateOf(net, config, inputs.rows, width);
    const options: AttentionOptions = config.flag('rotary_value', false)
      ? { rotate, rotateValue: rotate }
      : { rotate };
    bertLayers(net, config, x, inputs, sizes, options);
  },
};

const TABLE = 'encoder.embed_positions';

/**
 * Turns neighbouring features. Folders hold the sines and cosines as a table (positions, width), which transformers makes
 * where it is missing.
 */
function rotateOf(net: Network, config: Config, rows: string, width: number): Rotate {
  const most = config.count('max_position_embeddings', 1536);
  net.metadata.set(POSITIONS, String(most));
  const count = width / 2;
  // Half of an odd number of features could not be turned in pairs, in transformers either.
  if (!Number.isInteger(count)) throw config.unsupported('num_attention_heads', ['heads of an even size']);
  const places = counted(net, rows);
  if (!net.weights.has(`${TABLE}.weight`)) {
    const frequencies = Array.from({ length: count }, (_, i) => realPower(10000, -i / count));
    const rope = { base: 10000, type: 'default', original: most, frequencies, factor: 1 };
    return rotary(net, places, rope, width, true);
  }
  const table = embedding(net, TABLE, places, most, width);
  const [sin, cos] = net.ops(TABLE, 'Split', [table], { axis: -1, num_outputs: 2 }, 2);
  return rotation(net, { cos, sin, count }, width, true);
}
