import type { HostTensors, EvaluatorOptions } from '../../engine/stepper';
import { openForward } from '../../engine/open';
import type { Model, Node } from '../../graph/model';
import { scopeOf } from '../../graph/layers/module-path';
import type { VerifyTensor } from '../../protocol/verification';
import { positionOf, tensorDifference } from './difference';

/** Number of tensors to output at a time: all at once would need more memory than a training step. */
const AT_ONCE = 200;

/** Rounding errors grow along the graph and where large numbers cancel out. */
const TOLERANCE = 1e-3;

/** The forward graph of a side, and its device. */
export interface ForwardSide extends EvaluatorOptions {
  model: Model;
}

/**
 * The first tensor in graph order that differs between two sides; undefined if none does.
 *
 * @param feeds inputs, labels, masks and trainable tensors
 * @param folder for the graphs; the caller removes it
 */
export async function firstDifference(
  sides: readonly [ForwardSide, ForwardSide],
  feeds: HostTensors,
  folder: string,
): Promise<VerifyTensor | undefined> {
  const made = sides[0].model.graph.nodes.flatMap((node) =>
    node.outputs.filter((y) => y !== '').map((y) => ({ node, y })),
  );
  for (let from = 0; from < made.length; from += AT_ONCE) {
    const part = made.slice(from, from + AT_ONCE);
    const names = part.map(({ y }) => y);
    const [a, b] = [
      await tensorsOf(sides[0], names, feeds, folder),
      await tensorsOf(sides[1], names, feeds, folder),
    ];
    for (const { node, y } of part) {
      const found = tensorDifference(a[y], b[y]);
      if (!(found.error <= TOLERANCE)) return described(node, y, a[y].dims, found);
    }
  }
  return undefined;
}

/** Intermediate tensors of a side's forward graph. */
export async function tensorsOf(
  side: ForwardSide,
  names: string[],
  feeds: HostTensors,
  folder: string,
): Promise<HostTensors> {
  const forward = await openForward(side.model, names, folder, side);
  try {
    return await forward.run(feeds);
  } finally {
    await forward.dispose();
  }
}

function described(
  node: Node,
  tensor: string,
  dims: number[],
  found: ReturnType<typeof tensorDifference>,
): VerifyTensor {
  return {
    stage: 'forward',
    tensor,
    operator: node.domain ? `${node.domain}.${node.opType}` : node.opType,
    node: node.name || tensor,
    module: scopeOf(node),
    dims: [...dims],
    position: positionOf(found.at, dims),
    both: [String(found.values[0]), String(found.values[1])],
    error: Number.isFinite(found.error) ? found.error : null,
  };
}
