import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { DType } from '../../../../src/graph/dtype';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { input, model, node, type Attributes } from '../onnx-models';

function refused(op: string, inputs: string[], attributes: Attributes, outputs = ['y']): AuroraError {
  const m = model({
    opset: 20,
    domains: { 'com.microsoft': 1 },
    inputs: [...new Set(inputs)]
      .filter(Boolean)
      .map((name) => input(name, DType.float, [undefined, undefined, 8])),
    nodes: [node(op, inputs, outputs, attributes, 'com.microsoft')],
    outputs,
  });
  try {
    unfuse(m);
  } catch (e) {
    return e as AuroraError;
  }
  throw new Error('not refused');
}

describe('what is not supported is refused by name', () => {
  const heads = { num_heads: 2, kv_num_heads: 2 };
  it.each<[string, RegExp, () => AuroraError]>([
    [
      'an attribute that the rewrite does not know',
      /^The operator GroupQueryAttention of the node y has the attribute k_quant_type, /,
      () => refused('GroupQueryAttention', ['q', 'k', 'v'], { ...heads, k_quant_type: 'PER_TENSOR' }),
    ],
    [
      'an input that it does not know',
      /has the input number 13 \(scale\)/,
      () => refused('GroupQueryAttention', ['q', 'k', 'v', ...Array<string>(9).fill(''), 'scale'], heads),
    ],
    [
      'a cache under another name',
      /MultiHeadAttention of the node y has the input past_key \(old\)/,
      () => refused('MultiHeadAttention', ['q', 'k', 'v', '', '', '', 'old', 'old'], { num_heads: 2 }),
    ],
    [
      'rotary embeddings of unknown size',
      /a table of cosines \(cos\) of unknown width/,
      () => refused('RotaryEmbedding', ['x', 'ids', 'cos', 'sin'], {}),
    ],
    [
      'rotary embeddings inside Attention, as on the CPU of ONNX Runtime',
      /The operator Attention of the node y has do_rotary/,
      () => refused('Attention', ['x', 'w', 'b'], { num_heads: 2, do_rotary: 1 }),
    ],
  ])('%s', (_, message, error) => {
    expect(error()).toBeInstanceOf(AuroraError);
    expect(error()).toMatchObject({ kind: 'model', hint: expect.stringMatching(/\w/) as string });
    expect(error().message).toMatch(message);
  });
});
