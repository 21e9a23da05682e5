import type { Node } from '../model';

/** The inputs of an operator that are scales and zero points: from the first index on, up to the second. */
const PLACES: ReadonlyMap<string, readonly [from: number, to: number]> = new Map([
  ['MatMulNBits', [2, 4]],
  ['QuantizeLinear', [1, 3]],
  ['DequantizeLinear', [1, 3]],
  ['DynamicQuantizeMatMul', [2, 4]],
  ['MatMulIntegerToFloat', [2, 6]],
  ['GatherBlockQuantized', [2, 4]],
]);

/** The scales and zero points that a node reads. */
export const scalesOf = ({ opType, inputs }: Node): string[] =>
  inputs.slice(...(PLACES.get(opType) ?? [inputs.length])).filter((x) => x !== '');
