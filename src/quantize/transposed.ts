import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile, writeAll } from '../files/atomic';
import { removeAbandoned } from '../files/temporary';
import { columnWeights } from '../graph/int8/frozen-products';
import { type Graph, isFileRef, type Model, type Tensor } from '../graph/model';
import { transposeInto } from '../graph/quantized/columns';
import { readTensorBytes } from '../graph/values';

/** The share of the available memory that both copies of the weights may take: a step needs the rest. */
const SHARE = 0.7;

/**
 * A second copy of a model's weights in int8, transposed as the backward pass reads them: beside their file, with the same
 * places in it. Written once. Undefined if memory does not hold both copies.
 *
 * @param model as `quantizedCopy` wrote it
 * @param available memory, in bytes
 * @throws AuroraError 'disk' if the disk is full
 */
export function transposedCopy(
  { graph }: Model,
  available: number,
): ((values: Tensor) => Tensor) | undefined {
  if (!holdsBothCopies(graph, available)) return undefined;
  const weights = valuesOf(graph);
  const files = new Map<string, Tensor[]>();
  for (const w of weights)
    if (isFileRef(w.data)) files.set(w.data.path, [...(files.get(w.data.path) ?? []), w]);
  for (const [path, of] of files) if (!existsSync(pathOf(path))) write(pathOf(path), of);
  return transposed;
}

/** True if so much memory holds a model's weights in int8 twice. @param available in bytes */
export const holdsBothCopies = (graph: Graph, available: number): boolean =>
  2 * valuesOf(graph).reduce((sum, { dims }) => sum + dims[0] * dims[1], 0) <= SHARE * available;

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
  const bytes = readTensorBytes(values);
  const out = new Int8Array(bytes.length);
  const source = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  transposeInto(out, { rows, columns, all: rows }, source);
  return new Uint8Array(out.buffer);
}
