import { AuroraError } from '../../base/errors';
import { messageOf } from '../ask/message-of';
import type { Services } from '../services';
import { offerSignIn } from './token';

/**
 * Runs a request to the hub. If access is refused, the user may sign in and try again.
 *
 * @param page of the repository, where its conditions are accepted
 * @returns undefined if it was refused, or the user canceled
 * @throws any other error
 */
export async function withAccess<T>(
  { context }: Services,
  page: string,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      if (e.kind === 'stopped') return undefined;
      if (e.kind !== 'gated') throw e;
      if (!(await offerSignIn(context, messageOf(e), page))) return undefined;
    }
  }
}
