import { attrInt } from '../attributes';
import { byteSize } from '../dtype';
import { elementCount, type Node } from '../model';
import type { TensorInfos } from '../infos';

/**
 * Stand-in sizes for open axes: only their ratios matter, since one plan serves every batch. They follow those of a
 * probe, where a leading axis is 2, 3 and 5 in turn; sequences are as long as texts are in training.
 */
const LEADING = 3;
const LENGTH = 128;
/** Roughly the sequence length in a probe: scales an axis whose sizes are known only from there. */
const PROBED_LENGTH = 10;

/** Estimated bytes of tensors and multiplications of nodes. */
export class Costs {
  private readonly leading: ReadonlySet<number | string>;

  /** @param inputs names of the graph's inputs, whose first axis is the batch */
  constructor(
    private readonly infos: TensorInfos,
    inputs: readonly string[],
  ) {
    this.leading = new Set(inputs.flatMap((name) => infos.get(name)?.shape.slice(0, 1) ?? []));
  }

  /** 0 for an unknown shape: norm statistics, which are small. */
  bytes(tensor: string): number {
    const info = this.infos.get(tensor);
    return info ? this.elements(tensor) * (byteSize(info.dtype) ?? 1) : 0;
  }

  /** The multiplications of a product; for any other node, the size of its output. */
  work(node: Node): number {
    const written = node.outputs.reduce((sum, y) => sum + this.elements(y), 0);
    const weight = this.infos.get(node.inputs[1])?.shape ?? [];
    if (node.opType === 'MatMul') return written * this.size(weight.at(-2) ?? 1);
    if (node.opType === 'Gemm') return written * Math.max(...weight.map((d) => this.size(d)));
    if (node.opType === 'MatMulNBits') return written * attrInt(node, 'K', 1);
    if (node.opType === 'Conv') return written * elementCount(weight.slice(1).map((d) => this.size(d)));
    return written;
  }

  private elements(tensor: string): number {
    return elementCount((this.infos.get(tensor)?.shape ?? [0]).map((d) => this.size(d)));
  }

  private size(dim: number | string): number {
    if (typeof dim === 'number') return dim;
    if (/^\d+\|\d+\|\d+$/.test(dim)) {
      const [a, b, c] = dim.split('|').map(Number);
      const mean = Math.cbrt(a * b * c);
      return b * 2 === a * 3 && c * 2 === a * 5 ? mean : (mean / PROBED_LENGTH) * LENGTH;
    }
    return this.leading.has(dim) ? LEADING : LENGTH;
  }
}
