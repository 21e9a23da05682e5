import { DType } from '../../../graph/dtype';
import { embeddingSum } from '../../blocks/bert-embeddings';
import { layerNorm } from '../../blocks/layers';
import { embedding, flat, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { BASE_SIZE, encoderSize } from '../../settings';
import { bertLayers, requireEncoder } from './bert';

/** transformers' ErnieConfig and modeling_ernie.py: BERT, in ERNIE 2 and 3 with the embedding of the task. */
export const ernie: Family = {
  prefixes: ['ernie.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    requireEncoder(config);
    const sizes = encoderSize(config, BASE_SIZE);
    const { hidden, epsilon } = sizes;
    const inputs = textInputs(net);
    let sum = embeddingSum(net, config, inputs, hidden, { vocabulary: 30522, types: 2, first: 0 });
    if (config.flag('use_task_id', false)) {
      const tasks = config.count('task_type_vocab_size', 3);
      // Without task_type_ids, transformers takes all tokens for those of the first task.
      const task = net.g.constant(DType.int64, [1, 1], [0]);
      const row = embedding(net, 'embeddings.task_type_embeddings', task, tasks, hidden);
      sum = net.op('embeddings', 'Add', [sum, row]);
    }
    const x = layerNorm(net, 'embeddings.LayerNorm', flat(net, sum, hidden), hidden, epsilon);
    bertLayers(net, config, x, inputs, sizes);
  },
};
