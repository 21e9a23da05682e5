import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import { bertLike } from './bert';

const paddingId = (config: Config): number => config.index('pad_token_id', 1);

/**
 * RoBERTa and XLM-RoBERTa: BERT whose positions begin after the padding id and leave out padding tokens
 * (create_position_ids_from_input_ids in transformers' modeling_roberta.py). The mask does not matter to them.
 */
export const roberta = bertLike('roberta.', {
  vocabulary: 50265,
  offset: (config) => paddingId(config) + 1,
  positions(net, { ids }, config) {
    const padding = net.g.scalar(paddingId(config), DType.int64);
    const isPadding = net.op('embeddings', 'Equal', [ids, padding]);
    const real = net.op('embeddings', 'Cast', [net.op('embeddings', 'Not', [isPadding])], {
      to: DType.int64,
    });
    const counted = net.op('embeddings', 'CumSum', [real, net.g.scalar(1, DType.int64)]);
    return net.op('embeddings', 'Add', [net.op('embeddings', 'Mul', [counted, real]), padding]);
  },
});
