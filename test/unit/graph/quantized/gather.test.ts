import { expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { gradientPath } from '../../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { prepareModel } from '../../../../src/graph/prepare';
import { emptyGraph, generator, modelOf, symmetric } from '../../autodiff/check';

const [TOKENS, SIZE, OUT, BLOCK] = [12, 64, 5, 32];

it.each([
  ['float32', DType.float],
  ['float16', DType.float16],
])(
  'layers after a table of 4 bits (GatherBlockQuantized), with scales in %s, read its values',
  async (_, type) => {
    const random = generator(2);
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    // Of uint4 without zero points, 0 stands for 0.
    const codes = Array.from({ length: TOKENS * SIZE }, () => Math.floor(16 * random()));
    // Exact in 16 bits.
    const scales = Array.from({ length: (TOKENS * SIZE) / BLOCK }, () => Math.ceil(8 * random()) / 64);
    const weight = Array.from({ length: SIZE * OUT }, () => Math.round(8 * symmetric(random)) / 8);
    const rows = g.op(
      'GatherBlockQuantized',
      [
        g.constant(DType.uint4, [TOKENS, SIZE], codes),
        g.addInput('ids', DType.int64, [2]),
        g.constant(type, [TOKENS, SIZE / BLOCK], scales),
      ],
      { gather_axis: 0, quantize_axis: 1, block_size: BLOCK },
      { domain: 'com.microsoft', name: '/embed_tokens/Gather_Q4' },
    );
    const y = g.op('MatMul', [rows, g.constant(type, [SIZE, OUT], weight)], {}, { name: '/query/MatMul' });
    graph.outputs.push({ name: y, dtype: type, shape: [2, OUT] });
    const opsets = new Map([
      ['', 21],
      ['com.microsoft', 1],
    ]);
    const model = prepareModel({ ...modelOf(graph), opsets });
    const [layer] = findLinearLayers(model.graph);
    expect(layer.path).toBe('query');
    // The table is before every adapter, so no gradient reaches it.
    const { nodes } = gradientPath(model.graph.nodes, undefined, [y], [layer.calls[0].output]);
    expect(nodes.map((n) => n.opType)).not.toContain('GatherBlockQuantized');

    const session = await openSession(encodeModel(model));
    const ids = [7, 3];
    const found = await session.run({
      ids: { dtype: DType.int64, dims: [2], data: BigInt64Array.from(ids, BigInt) },
    });
    await session.dispose();
    const values = found[y].data as Float32Array;
    expect(found[y].dtype).toBe(DType.float);
    for (const [row, id] of ids.entries())
      for (let o = 0; o < OUT; o++) {
        let wanted = 0;
        for (let i = 0; i < SIZE; i++) {
          const scale = scales[((id * SIZE + i) / BLOCK) | 0];
          wanted += codes[id * SIZE + i] * scale * weight[i * OUT + o];
        }
        expect(values[row * OUT + o]).toBeCloseTo(wanted, 3);
      }
  },
);
