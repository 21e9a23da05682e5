import type {
  ClientCapabilities,
  ElicitRequestFormParams,
  ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import { AuroraError } from '../../../base/errors';
import type { Confirmation } from '../../../tools/tool';

/** A person may be away. Clients that wait for less cancel the call. */
export const PATIENCE_MS = 30 * 60_000;

export interface Asking {
  capabilities: ClientCapabilities | undefined;
  /** True if the server was started with --allow-training: nobody is asked. */
  isAllowed: boolean;
  /** Sends `elicitation/create`. */
  elicit(params: ElicitRequestFormParams): Promise<ElicitResult>;
}

/**
 * Returns once a person has agreed, asked by the client through the protocol's elicitation.
 *
 * @throws AuroraError if the client cannot ask, or the person did not agree
 */
export async function requireConsent({ title, message, agree }: Confirmation, asking: Asking): Promise<void> {
  const { capabilities, isAllowed, elicit } = asking;
  if (isAllowed) return;
  if (!hasForms(capabilities))
    throw new AuroraError(
      'usage',
      'This client cannot ask the user (it does not support elicitation), so nothing was started.',
      'Let the user start the server with --allow-training, or do it in the editor or a terminal.',
    );
  let answer: ElicitResult;
  try {
    answer = await elicit({
      message: `${title}\n\n${message}`,
      requestedSchema: {
        type: 'object',
        properties: { agree: { type: 'boolean', title: agree, description: title, default: false } },
        required: ['agree'],
      },
    });
  } catch (cause) {
    throw new AuroraError(
      'stopped',
      `The user was not asked, or did not answer, so nothing was started: ${(cause as Error).message}`,
      'Ask the user in the conversation before you try again.',
      { cause },
    );
  }
  if (answer.action === 'accept' && answer.content?.agree === true) return;
  throw new AuroraError(
    'stopped',
    answer.action === 'cancel'
      ? 'The user closed the question without an answer, so nothing was started.'
      : 'The user declined, so nothing was started.',
    'Do not try again before the user asks for it.',
  );
}

/** Before revision 2025-11-25 of the protocol, the capability had no modes, and meant forms. */
const hasForms = (capabilities: ClientCapabilities | undefined): boolean => {
  const elicitation = capabilities?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
};
