import { BNB4_TYPES, FP4, NF4 } from '../../graph/quantized/bnb4';
import { dequantizedBnb4 } from '../../graph/pieces/bnb4-pieces';
import { DType } from '../../graph/dtype';
import type { Tensor } from '../../graph/model';
import type { PackedTensors } from '../folder/few-bits/packed-weight';
import type { Network } from './network';

/** x (tokens, from) times a weight of few bits, as nn.Linear, without its bias. Undefined for forms without such an operator. */
export function fewBitsProduct(
  net: Network,
  module: string,
  x: string,
  [to, from]: [to: number, from: number],
  { form, values, scales, zeros, order }: PackedTensors,
): string | undefined {
  const add = (tensors: readonly Tensor[]) => tensors.map((t) => net.g.addInitializer(t));
  const sizes = { K: from, N: to };
  const domain = 'com.microsoft';
  switch (form.kind) {
    case 'nbits': {
      const read = order ? net.op(module, 'Gather', [x, ...add([order])], { axis: -1 }) : x;
      const inputs = [read, ...add([values, scales, ...(zeros ? [zeros] : [])])];
      const attributes = { ...sizes, bits: form.bits, block_size: form.blockSize, accuracy_level: 0 };
      return net.op(module, 'MatMulNBits', inputs, attributes, domain);
    }
    case 'bnb4': {
      const attributes = { ...sizes, block_size: form.blockSize, quant_type: BNB4_TYPES[form.type] };
      return net.op(module, 'MatMulBnb4', [x, ...add([values, scales])], attributes, domain);
    }
    case 'int8':
      return undefined;
  }
}

/** The values of a weight of few bits in float32: for products of other forms, and for layers whose weight is cut into parts. */
export function dequantized(net: Network, packed: PackedTensors, dims: number[]): string {
  const { form, values, scales, zeros, order } = packed;
  const { g, weights } = net;
  switch (form.kind) {
    case 'nbits': {
      // The bytes of a row, without a boundary between blocks. Stacked weights are those of linear layers, turned over.
      const stacked = dims.length === 3;
      const [rows, width] = stacked ? [dims[0]! * dims[2]!, dims[1]!] : [dims[0]!, dims[1]!];
      const dtype = form.bits === 4 ? DType.uint4 : DType.uint8;
      const blocks = [rows, width / form.blockSize];
      const matrix = g.addInitializer(weights.viewOf(values, 'matrix', dtype, [rows, width]));
      const middle = () => g.op('Expand', [g.scalar(2 ** (form.bits - 1), dtype), g.ints(blocks)]);
      const zero = zeros ? g.addInitializer(weights.viewOf(zeros, 'matrix', dtype, blocks)) : middle();
      const read = { axis: 1, block_size: form.blockSize };
      const found = g.op('DequantizeLinear', [matrix, g.addInitializer(scales), zero], read);
      if (stacked) {
        const each = g.op('Reshape', [found, g.ints([dims[0]!, dims[2]!, width])]);
        return g.op('Transpose', [each], { perm: [0, 2, 1] });
      }
      if (!order) return found;
      // The places of the places: a weight with its features in the order of the module.
      const [, places] = g.ops(
        'TopK',
        [g.addInitializer(order), g.ints([width])],
        { largest: 0 },
        { outputs: 2 },
      );
      return g.op('Gather', [found, places!], { axis: 1 });
    }
    case 'bnb4': {
      const table = form.type === 'nf4' ? NF4 : FP4;
      const column = weights.viewOf(scales, 'column', scales.dtype, [scales.dims[0]!, 1]);
      const factors = g.addInitializer(column);
      const of = { blockSize: form.blockSize, table };
      return dequantizedBnb4(g, of, g.addInitializer(values), factors, [dims[0]!, dims[1]!]);
    }
    case 'int8': {
      return g.op('DequantizeLinear', [g.addInitializer(values), g.addInitializer(scales)], { axis: 0 });
    }
  }
}
