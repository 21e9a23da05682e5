import { sizesOf, type Dataset } from '../../data/dataset';
import { epochOrder } from '../../data/order';
import type { Experiment } from '../../experiment/experiment';
import type { PreflightPacking } from '../../protocol/preflight';
import type { TaskKind } from '../../tasks/kind';
import type { TaskData } from '../../tasks/task-data';
import { paddedTokens } from '../loop/sample';

/** The effect of training.packing on the training data; undefined without it. */
export function packingLine(
  kind: TaskKind,
  { train: { dataset } }: TaskData,
  spec: Experiment,
): PreflightPacking | undefined {
  if (!spec.training.packing) return undefined;
  const rows = kind.pack!(dataset, spec);
  const padding = (set: Dataset) => {
    const positions = paddedTokens(set, epochOrder(set, { ...spec.training, epoch: 0 }));
    return 1 - Array.from(sizesOf(set)).reduce((a, b) => a + b, 0) / positions;
  };
  return { rows: rows.examples.length, padding: padding(rows), paddingApart: padding(dataset) };
}
