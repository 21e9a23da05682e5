import { describe, it } from 'vitest';
import type { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { prepareModel } from '../../../../src/graph/prepare';
import { checkGradients } from '../../autodiff/check';
import type { Input, Problem } from '../../autodiff/problem';
import { compareEngines } from '../../tfjs/compare';
import { input, model, node, type Attributes } from '../onnx-models';

/** An operator's replacement in float64, which ONNX Runtime's own kernels may lack. */
const written =
  (op: string, p: Problem['inputs'], attributes: Attributes) =>
  (g: GraphBuilder): string[] => {
    const inputs = Object.entries(p).map(([name, i]) => input(name, i.dtype ?? DType.double, [...i.shape]));
    const outputs = ['y'];
    const made = prepareModel(
      model({
        opset: 24,
        inputs,
        nodes: [node(op, Object.keys(p), outputs, attributes)],
        outputs,
      }),
    );
    for (const t of made.graph.initializers.values()) g.addInitializer(t);
    g.sink.push(...made.graph.nodes);
    return outputs;
  };

const float = (...shape: Input['shape']): Input => ({ shape });
const bool = (...shape: Input['shape']): Input => ({ shape, dtype: DType.bool, range: [0, 2] });

const problem = (op: string, inputs: Problem['inputs'], attributes: Attributes = {}): Problem => ({
  inputs,
  build: written(op, inputs, attributes),
  open: ['a', 'b'],
});

const grouped = { x: float('a', 4, 'b', 3), k: float('a', 2, 'b', 3), v: float('a', 2, 'b', 2) };
const heads = { q_num_heads: 4, kv_num_heads: 2 };

const PROBLEMS: Record<string, Problem> = {
  'Attention, causal with grouped heads': problem('Attention', grouped, { is_causal: 1 }),
  'Attention, a mask that hides whole rows': problem('Attention', { ...grouped, m: bool('a', 1, 'b', 'b') }),
  'Attention, a learned bias and a cap': problem(
    'Attention',
    { x: float('a', 'b', 12), k: float('a', 'b', 6), v: float('a', 'b', 4), m: float(4, 'b', 'b') },
    { ...heads, softcap: { float: 2 }, scale: { float: 0.3 } },
  ),
  'RotaryEmbedding, interleaved and partial': problem(
    'RotaryEmbedding',
    {
      x: float('a', 'b', 12),
      k: { ...float('a', 'b', 2), frozen: true },
      v: { ...float('a', 'b', 2), frozen: true },
    },
    { num_heads: 2, rotary_embedding_dim: 4, interleaved: 1 },
  ),
  RMSNormalization: problem('RMSNormalization', { x: float('a', 'b', 4), w: float(4) }),
};

describe('gradients of operators that are written out are finite differences', () => {
  it.each(Object.entries(PROBLEMS))('%s', (_, p) => checkGradients(p, 11));
  it.each(Object.entries(PROBLEMS))('%s, on TensorFlow.js too', (_, p) => compareEngines(p, 12, 'cpu'));
});
