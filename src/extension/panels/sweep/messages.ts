import { isAbsolute } from 'node:path';
import { parseSaveChart } from '../../../protocol/panels/save-chart';
import { SWEEP_ACTIONS, type SweepFromPage, type SweepOpen } from '../../../protocol/panels/sweep';

type Fields = Record<string, unknown>;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Parses the subject of a panel that a reload restores; undefined if it is not the path of a sweep. */
export function parseOpen(value: unknown): SweepOpen | undefined {
  const { sweep } = (value ?? {}) as Fields;
  return isText(sweep) && isAbsolute(sweep) ? { sweep } : undefined;
}

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseMessage(value: unknown): SweepFromPage | undefined {
  const { type, action, run, runs, text } = (value ?? {}) as Fields;
  switch (type) {
    case 'action': {
      const known = SWEEP_ACTIONS.find((a) => a === action);
      return known && { type, action: known };
    }
    case 'open':
      return isText(run) ? { type, run } : undefined;
    case 'compare':
      return Array.isArray(runs) && runs.length > 1 && runs.every(isText) ? { type, runs } : undefined;
    case 'copy':
      return isText(text) ? { type, text } : undefined;
    case 'saveChart':
      return parseSaveChart(value as Fields);
    default:
      return undefined;
  }
}
