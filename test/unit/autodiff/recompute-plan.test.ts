import { describe, expect, it } from 'vitest';
import { Costs, planCuts } from '../../../src/graph/autodiff/recompute-plan';
import { DType } from '../../../src/graph/dtype';
import type { TensorInfo } from '../../../src/graph/tensor-infos';
import type { Node } from '../../../src/graph/model';

const NARROW = 10;
const WIDE = 100;

/** Nodes that each read the one before, and tensors of known sizes. */
class Chain {
  readonly nodes: Node[] = [];
  readonly infos = new Map<string, TensorInfo>();
  readonly reads = new Set<string>();
  private last = 'x';

  /** @param also what it reads beside that */
  add(size: number, also: string[] = []): string {
    const name = `t${this.nodes.length}`;
    this.nodes.push({
      ...{ name, opType: 'Add', domain: '', inputs: [this.last, ...also], outputs: [name] },
      ...{ attributes: new Map(), metadata: new Map() },
    } as unknown as Node);
    this.infos.set(name, { dtype: DType.float, shape: [size] });
    // The backward pass needs all that is inside a layer.
    if (size === WIDE) this.reads.add(name);
    return (this.last = name);
  }

  layer(also: string[] = []): string {
    this.add(WIDE, also);
    return this.add(NARROW);
  }

  plan() {
    return planCuts(this.nodes, this.reads, new Set(), new Costs(this.infos, []));
  }
}

describe('the cuts of gradient checkpointing', () => {
  it('are spread over a U-Net, in whose middle all that the way up reads crosses each cut', () => {
    const net = new Chain();
    const skips = Array.from({ length: 200 }, () => net.layer());
    for (const skip of skips.reverse()) net.layer([skip]);
    const { cuts, bytes, bytesWithout } = net.plan()!;
    const quarters = [0, 1, 2, 3].map((i) => {
      const quarter = net.nodes.length / 4;
      return cuts.filter((c) => c >= i * quarter && c < (i + 1) * quarter).length;
    });
    expect(Math.min(...quarters)).toBeGreaterThan(1);
    // The tensors that cross are a tenth of those inside layers.
    expect(bytes).toBeLessThan(bytesWithout / 4);
  });

  it('are those of the whole where few come into question', () => {
    const net = new Chain();
    for (let i = 0; i < 30; i++) net.layer();
    const { bytes, bytesWithout } = net.plan()!;
    expect(bytes).toBeLessThan(bytesWithout / 2);
  });
});
