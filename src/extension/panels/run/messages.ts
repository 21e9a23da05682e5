import { RUN_ACTIONS, type RunFromPage, type RunOpen } from '../../../protocol/panels/run';
import { isPictureName } from '../../../protocol/run-files/pictures';
import { parseSaveChart } from '../../../protocol/panels/save-chart';

type Fields = Record<string, unknown>;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** `open` as restored by a reload; undefined if invalid. */
export function parseOpen(value: unknown): RunOpen | undefined {
  const runs = (value as Fields | undefined | null)?.runs;
  if (!Array.isArray(runs) || runs.length === 0 || !runs.every(isText)) return undefined;
  return { runs: [...new Set(runs)] };
}

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseMessage(value: unknown): RunFromPage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, run, action, step, table, runs, file } = value as Fields;
  if (type === 'snapshot') return { type };
  if (type === 'compareSettings') {
    if (!Array.isArray(runs) || runs.length !== 2 || !runs.every(isText)) return undefined;
    return { type, runs: [runs[0], runs[1]] };
  }
  if (!isText(run)) return undefined;
  switch (type) {
    case 'action': {
      const known = RUN_ACTIONS.find((a) => a === action);
      return known && { type, action: known, run };
    }
    case 'fork':
      return Number.isSafeInteger(step) && (step as number) >= 0
        ? { type, run, step: step as number }
        : undefined;
    case 'openPicture':
      return isPictureName(file) ? { type, run, file } : undefined;
    case 'copyCsv':
      return table === 'records' || table === 'evaluations' ? { type, run, table } : undefined;
    case 'saveChart': {
      const chart = parseSaveChart(value as Fields);
      return chart && { ...chart, run };
    }
    default:
      return undefined;
  }
}
