import { bestEvaluation, checkpointSteps } from '../runs/label';
import { isTreeNode } from '../runs/nodes';
import type { RunEntry } from '../runs/store';

/** True if it has learned something that is saved. */
export const isExportable = ({ run }: RunEntry): boolean =>
  run !== undefined && (bestEvaluation(run) !== undefined || checkpointSteps(run).length > 0);

/** The run's state that a row represents, as for --at. */
export function stateOf({ run }: RunEntry, argument: unknown): string {
  if (isTreeNode(argument) && argument.kind === 'checkpoint') return String(argument.step);
  if (isTreeNode(argument) && argument.kind === 'adapter') return argument.which;
  return run && bestEvaluation(run) ? 'best' : 'last';
}
