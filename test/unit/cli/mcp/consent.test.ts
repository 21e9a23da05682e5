import type {
  ClientCapabilities,
  ElicitRequestFormParams,
  ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { requireConsent } from '../../../../src/cli/commands/mcp/consent';

const question = { title: 'Train the Experiment?', message: 'It is trained.', agree: 'Train' };
const FORMS: ClientCapabilities = { elicitation: { form: {} } };

const asked = async (
  capabilities: ClientCapabilities | undefined,
  answer: () => Promise<ElicitResult>,
  isAllowed = false,
): Promise<ElicitRequestFormParams[]> => {
  const sent: ElicitRequestFormParams[] = [];
  const elicit = (params: ElicitRequestFormParams) => {
    sent.push(params);
    return answer();
  };
  await requireConsent(question, { capabilities, isAllowed, elicit });
  return sent;
};
const yes = () => Promise.resolve({ action: 'accept' as const, content: { agree: true } });

describe('before something starts', () => {
  it('the person is asked with the whole question, and has to agree in the form', async () => {
    const [params] = await asked(FORMS, yes);
    expect(params!.message).toBe('Train the Experiment?\n\nIt is trained.');
    expect(params!.requestedSchema.properties.agree).toMatchObject({
      type: 'boolean',
      title: 'Train',
      default: false,
    });
    expect(params!.requestedSchema.required).toEqual(['agree']);
  });

  it.each<[string, ElicitResult]>([
    ['declines', { action: 'decline' }],
    ['closes the question', { action: 'cancel' }],
    ['sends the form without agreeing', { action: 'accept', content: { agree: false } }],
    ['sends an empty form', { action: 'accept', content: {} }],
    ['sends a text', { action: 'accept', content: { agree: 'true' } }],
    ['sends no form', { action: 'accept' }],
  ])('nothing starts if the person %s', (_, answer) =>
    expect(asked(FORMS, () => Promise.resolve(answer))).rejects.toMatchObject({
      kind: 'stopped',
      message: expect.stringContaining('so nothing was started'),
    }),
  );

  it('nothing starts if the client fails to ask', () =>
    expect(asked(FORMS, () => Promise.reject(new Error('timed out')))).rejects.toThrow(
      /nothing was started: timed out/,
    ));

  it.each<[string, ClientCapabilities | undefined]>([
    ['no capabilities', undefined],
    ['no elicitation', { sampling: {} }],
    ['links alone', { elicitation: { url: {} } }],
  ])('a client with %s is refused, and is not asked', async (_, capabilities) => {
    await expect(asked(capabilities, yes)).rejects.toMatchObject({
      message: expect.stringContaining('cannot ask the user'),
      hint: expect.stringContaining('--allow-training'),
    });
  });

  it('a client of an earlier revision of the protocol has forms if it has elicitation', async () =>
    expect(await asked({ elicitation: {} }, yes)).toHaveLength(1));

  it('nobody is asked with --allow-training', async () => {
    expect(await asked(undefined, yes, true)).toEqual([]);
    expect(await asked(FORMS, yes, true)).toEqual([]);
  });
});
