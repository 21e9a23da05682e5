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
      /^The operator GroupQueryAttention of the node y has the attribute later, /,
      () => refused('GroupQueryAttention', ['q', 'k', 'v'], { ...heads, later: 1 }),
    ],
    [
      'an input that it does not know',
      /has the input number 17 \(later\)/,
      () => refused('GroupQueryAttention', ['q', 'k', 'v', ...Array<string>(13).fill(''), 'later'], heads),
    ],
    [
      'a quantized cache',
      /has the attribute k_quant_type=PER_TENSOR, /,
      () => refused('GroupQueryAttention', ['q', 'k', 'v'], { ...heads, k_quant_type: 'PER_TENSOR' }),
    ],
    [
      'scales of a quantized cache',
      /has the input k_scale \(scale\)/,
      () => refused('GroupQueryAttention', ['q', 'k', 'v', ...Array<string>(9).fill(''), 'scale'], heads),
    ],
    [
      'scores as an output',
      /has the output qk \(scores\)/,
      () => refused('MultiHeadAttention', ['q', 'k', 'v'], { num_heads: 2 }, ['y', '', '', 'scores']),
    ],
    [
      'an output that it does not know',
      /has the output number 2 \(more\)/,
      () => refused('QuickGelu', ['x'], {}, ['y', 'more']),
    ],
    [
      'a window without tokens',
      /has a local_window_size of 0/,
      () => refused('GroupQueryAttention', ['q', 'k', 'v'], { ...heads, local_window_size: 0 }),
    ],
    [
      'packed projections of three axes',
      /has the packed input query \(q\) of three axes/,
      () => refused('MultiHeadAttention', ['q'], { num_heads: 2 }),
    ],
    [
      'packed batches',
      /RotaryEmbedding of the node y has the attribute is_packed_batching=1/,
      () => refused('RotaryEmbedding', ['x', 'ids', 'cos', 'sin'], { is_packed_batching: 1 }),
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

  it('node by node, each with its reason', () => {
    const later = (n: number) => node('QuickGelu', ['x'], [`y${n}`], { [`later${n}`]: 1 }, 'com.microsoft');
    const m = model({
      opset: 20,
      domains: { 'com.microsoft': 1 },
      inputs: [input('x', DType.float, [undefined, 8])],
      nodes: [later(0), later(1)],
      outputs: ['y0', 'y1'],
    });
    expect(() => unfuse(m)).toThrow(
      /^The operator QuickGelu of the node y0 has the attribute later0, [^\n]*\nThe operator QuickGelu of the node y1 has the attribute later1, [^\n]*$/,
    );
  });
});
