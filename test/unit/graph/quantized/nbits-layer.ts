import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { Graph, Model } from '../../../../src/graph/model';
import { tensorOf } from '../../../../src/graph/values';
import { emptyGraph } from '../../autodiff/check';

export interface LayerOptions {
  bits: number;
  blockSize: number;
  inFeatures: number;
  outFeatures: number;
  zeros: 'none' | 'packed' | 'float';
  /** As in old files: scales and zero points as vectors. */
  flat: boolean;
  bias: boolean;
  /** The input's rank. */
  rank: number;
}

/** A model of one MatMulNBits with random constants: x to y. */
export function nbitsLayer(o: LayerOptions, random: () => number): { graph: Graph; model: Model } {
  const { bits, blockSize, inFeatures: K, outFeatures: N } = o;
  const blocks = Math.ceil(K / blockSize);
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => Math.floor(256 * random()));
  const floats = (n: number) => Float32Array.from({ length: n }, () => random() + 0.1);
  const add = (name: string, dtype: number, dims: number[], values: ArrayLike<number>) =>
    g.addInitializer(tensorOf(name, dtype, dims, values));
  const matrix = (columns: number) => (o.flat ? [N * columns] : [N, columns]);
  const blob = (blockSize * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const inputs = [
    g.addInput('x', DType.float, [...['a', 'b'].slice(0, o.rank - 1), K]),
    add('w', DType.uint8, [N, blocks, blob], bytes(N * blocks * blob)),
    add('s', DType.float, matrix(blocks), floats(N * blocks)),
    o.zeros === 'packed'
      ? add('z', DType.uint8, matrix(zeroBytes), bytes(N * zeroBytes))
      : o.zeros === 'float'
        ? add('z', DType.float, matrix(blocks), floats(N * blocks))
        : '',
    '',
    o.bias ? add('bias', DType.float, [N], floats(N)) : '',
  ];
  g.op(
    'MatMulNBits',
    inputs,
    { K, N, bits, block_size: blockSize },
    { domain: 'com.microsoft', name: '/query/MatMul_Q4', outputs: ['y'] },
  );
  g.addOutput('y');
  const opsets = new Map([
    ['', 21],
    ['com.microsoft', 1],
  ]);
  return { graph, model: { irVersion: 10, producer: '', opsets, graph, metadata: new Map() } };
}
