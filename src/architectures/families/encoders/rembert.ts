import { bertEmbeddings } from '../../blocks/bert-embeddings';
import { linear } from '../../blocks/layers';
import { textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { encoderSize } from '../../settings';
import { bertLayers, requireEncoder } from './bert';

const SIZE = { hidden: 1152, inner: 4608, layers: 32, heads: 18, epsilon: 1e-12 };

/** transformers' RemBertConfig and modeling_rembert.py: BERT with embeddings of another size than its states. */
export const rembert: Family = {
  prefixes: ['rembert.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    requireEncoder(config);
    const sizes = encoderSize(config, SIZE);
    const { hidden, epsilon } = sizes;
    const size = config.count('input_embedding_size', 256);
    const inputs = textInputs(net);
    const own = { vocabulary: 250300, types: 2, first: 0 };
    const embedded = bertEmbeddings(net, config, inputs, { size, epsilon }, own);
    const x = linear(net, 'encoder.embedding_hidden_mapping_in', embedded, { from: size, to: hidden });
    bertLayers(net, config, x, inputs, sizes);
  },
};
