import { AuroraError } from '../base/errors';
import { optionalText } from './input';
import type { ToolInput } from './tool';

/** The state of a run that `at` names, as `--at` takes it: best (default), last, or the step of a checkpoint. */
export function stateIn(input: ToolInput): string {
  const at = input.at;
  const text = typeof at === 'number' ? String(at) : (optionalText(input, 'at') ?? 'best');
  if (/^(best|last|\d+)$/.test(text)) return text;
  throw new AuroraError(
    'usage',
    `"at" takes best, last or the step of a checkpoint, not "${text}".`,
    'aurora_explain_run lists the checkpoints of a run.',
  );
}
