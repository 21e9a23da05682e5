import { DISK_HINTS } from '../files/atomic';
import type { AuroraError } from '../base/errors';
import type { Command } from './command';

/** An error's hint. Hints for disk errors name `--resume` or `--out` only if the command has that option. */
export function diskHint(command: Pick<Command, 'options'> | undefined, e: AuroraError): string | undefined {
  const has = (option: string) => command !== undefined && Object.hasOwn(command.options, option);
  if (e.hint === DISK_HINTS.full && has('resume'))
    return 'Free some space, then continue with --resume; nothing already saved was changed.';
  if (e.hint === DISK_HINTS.elsewhere && has('out'))
    return 'Choose another folder with --out, or make this one writable.';
  return e.hint;
}
