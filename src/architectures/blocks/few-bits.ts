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
      // The bytes of a row, without a boundary between blocks.
      const dtype = form.bits === 4 ? DType.uint4 : DType.uint8;
      const blocks = [dims[0]!, dims[1]! / form.blockSize];
      const inputs = [
        g.addInitializer(weights.viewOf(values, 'matrix', dtype, dims)),
        g.addInitializer(scales),
        g.addInitializer(weights.viewOf(zeros!, 'matrix', dtype, blocks)),
      ];
      const rows = g.op('DequantizeLinear', inputs, { axis: 1, block_size: form.blockSize });
      if (!order) return rows;
      // The places of the places: a weight with its features in the order of the module.
      const [, places] = g.ops('TopK', [g.addInitializer(order), g.ints([dims[1]!])], { largest: 0 }, { outputs: 2 });
      return g.op('Gather', [rows, places!], { axis: 1 });
    }
    case 'bnb4': {
      const table = form.type === 'nf4' ? NF4 : FP4;
      const column = weights.viewOf(scales, 'column', scales.dtype, [scales.dims[0]!, 1]);
      const factors = g.addInitializer(column);
      const of = { blockSize: form.blockSize, table };
      return dequantizedBnb4(g, of, g.addInitializer(values), factors, [dims[0]!, dims[1]!]);
    }
    case 'int8': {
      const attributes = { axis: form.axis, ...(form.blockSize > 0 && { block_size: form.blockSize }) };
      return g.op('DequantizeLinear', [g.addInitializer(values), g.addInitializer(scales)], attributes);
    }
  }
}
