import type { RunPictures } from '../../../src/protocol/run-files/pictures';

/** A moment of training: before it, or an evaluation's step. */
export type Moment = number | 'base';

/** A picture in the strip, which stays the same one when more are drawn. */
export interface Place {
  prompt: number;
  moment: Moment;
}

/** Columns beside the base model's; of more evaluations, evenly spread ones are shown. */
const MOST_COLUMNS = 120;

/** The base model first, then the evaluations, always with the first and the last one. */
export function columnsOf({ evaluations }: RunPictures, most = MOST_COLUMNS): Moment[] {
  const steps = evaluations.map((e) => e.step);
  if (steps.length <= most) return ['base', ...steps];
  const spread = Array.from(
    { length: most },
    (_, i) => steps[Math.round((i * (steps.length - 1)) / (most - 1))],
  );
  return ['base', ...spread];
}

/** The file of a picture; undefined if it was not drawn. */
export function fileAt({ base, evaluations }: RunPictures, { prompt, moment }: Place): string | undefined {
  const files = moment === 'base' ? base : evaluations.find((e) => e.step === moment)?.files;
  return files?.[prompt];
}

/** Where a key leads from a picture; undefined for other keys. */
export function keyTarget(
  e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>,
  { prompt, moment }: Place,
  columns: readonly Moment[],
  prompts: number,
): Place | undefined {
  const at = Math.max(0, columns.indexOf(moment));
  const all = e.ctrlKey || e.metaKey;
  const [rows, last] = [prompts - 1, columns.length - 1];
  const to: Record<string, [row: number, column: number]> = {
    ArrowLeft: [prompt, at - 1],
    ArrowRight: [prompt, at + 1],
    ArrowUp: [prompt - 1, at],
    ArrowDown: [prompt + 1, at],
    Home: [all ? 0 : prompt, 0],
    End: [all ? rows : prompt, last],
  };
  if (!Object.hasOwn(to, e.key)) return undefined;
  const [row, column] = to[e.key];
  const within = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  return { prompt: within(row, rows), moment: columns[within(column, last)] };
}
