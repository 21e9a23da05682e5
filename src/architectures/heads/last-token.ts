import { DType } from '../../graph/dtype';
import { counted } from '../blocks/text';
import type { Hidden } from './hidden';

/** `pad_token_id` of a config.json without it, in families that have one then. */
const PADDING: ReadonlyMap<string, number> = new Map([
  ['gemma', 0],
  ['gemma2', 0],
  ['gemma3_text', 0],
  ['phi3', 32000],
  ['smollm3', 128004],
  ['olmo2', 1],
]);

/**
 * The state of each text's last token that is not padding, (batch, size), as transformers'
 * GenericForSequenceClassification takes it: padding are the tokens with `pad_token_id`. Without one, transformers
 * takes only one text at a time; here the mask marks padding.
 */
export function lastToken({ net, config, type, states }: Hidden): string {
  const missing = config.isNull('pad_token_id') ? undefined : PADDING.get(type);
  const padding =
    config.has('pad_token_id') || missing !== undefined ? config.index('pad_token_id', missing) : undefined;
  const real =
    padding === undefined
      ? net.op('score', 'Cast', ['attention_mask'], { to: DType.bool })
      : net.op('score', 'Not', [net.op('score', 'Equal', ['input_ids', net.g.scalar(padding, DType.int64)])]);
  const rows = net.op('score', 'Shape', ['input_ids']);
  const places = net.op('score', 'Cast', [counted(net, rows)], { to: DType.float });
  const weight = net.op('score', 'Cast', [real], { to: DType.float });
  const most = [net.op('score', 'Mul', [weight, places]), net.g.ints([1])];
  const last = net.op('score', 'ReduceMax', most, { keepdims: 1 });
  const isLast = net.op('score', 'Cast', [net.op('score', 'Equal', [places, last])], { to: DType.float });
  const one = net.op('score', 'Mul', [states, net.op('score', 'Unsqueeze', [isLast, net.g.ints([2])])]);
  return net.op('score', 'ReduceSum', [one, net.g.ints([1])], { keepdims: 0 });
}
