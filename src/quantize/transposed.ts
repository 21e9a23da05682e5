import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../base/errors';
import { bytes } from '../base/number-text';
import { replaceFile, writeAll } from '../files/atomic';
import { removeAbandoned } from '../files/temporary';
import { columnWeights } from '../graph/int8/frozen-products';
import { type Graph, isFileRef, type Model, type Tensor } from '../graph/model';
import { transposeInto } from '../graph/quantized/columns';
import { readTensorBytes } from '../graph/values';

/** The share of the available memory that both copies of the weights may take: a step needs the rest. */
const SHARE = 0.7;
/** Bytes for each number of 4 bits, in blocks of 32 with a scale in float32. */
const FOUR_BITS = 0.625;

/**
 * A second copy of a model's weights in int8, transposed as the backward pass reads them: beside their file, with the same
 * places in it. Written once. If memory does not hold both copies, the reason in a full sentence.
 *
 * @param model as `quantizedCopy` wrote it
 * @param available memory, in bytes
 * @throws AuroraError 'memory' if it does not even hold one, 'disk' if the disk is full
 */
export function transposedCopy({ graph }: Model, available: number): ((values: Tensor) => Tensor) | string {
  const size = int8Bytes(graph);
  if (size > available)
    throw new AuroraError(
      'memory',
      `The weights of the linear layers in int8 take ${bytes(size)}, and ${bytes(available)} of memory are available.`,
      `Close other programs, or set model.quantize to 4, which takes about ${bytes(FOUR_BITS * size)}, and training.precision to "float32".`,
    );
  if (!holdsBothCopies(graph, available))
    return `Two copies of ${bytes(size)} would take more than 70% of the ${bytes(available)} of memory that are available.`;
  const weights = valuesOf(graph);
  const files = new Map<string, Tensor[]>();
  for (const w of weights)
    if (isFileRef(w.data)) files.set(w.data.path, [...(files.get(w.data.path) ?? []), w]);
  for (const [path, of] of files) if (!existsSync(pathOf(path))) write(pathOf(path), of);
  return transposed;
}

/** True if so much memory holds a model's weights in int8 twice. @param available in bytes */
export const holdsBothCopies = (graph: Graph, available: number): boolean =>
  2 * int8Bytes(graph) <= SHARE * available;

const int8Bytes = (graph: Graph): number =>
  valuesOf(graph).reduce((sum, { dims }) => sum + dims[0] * dims[1], 0);

const valuesOf = (graph: Graph): Tensor[] => [...columnWeights(graph).values()].map(({ values }) => values);

const pathOf = (data: string): string => `${data}.transposed`;

function transposed(values: Tensor): Tensor {
  const { name, dims, data } = values;
  const place = isFileRef(data) ? { ...data, path: pathOf(data.path) } : turned(values);
  return { ...values, name: `${name}.transposed`, dims: dims.toReversed(), data: place };
}

function write(path: string, weights: readonly Tensor[]): void {
  removeAbandoned(dirname(path));
  replaceFile(path, (fd) => {
    for (const w of weights) if (isFileRef(w.data)) writeAll(fd, turned(w), w.data.offset);
  });
}

function turned(values: Tensor): Uint8Array {
  const [rows, columns] = values.dims;
  const stored = readTensorBytes(values);
  const out = new Int8Array(stored.length);
  const source = new Int8Array(stored.buffer, stored.byteOffset, stored.length);
  transposeInto(out, { rows, columns, all: rows }, source);
  return new Uint8Array(out.buffer);
}
