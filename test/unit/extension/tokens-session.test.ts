import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { TokensSession } from '../../../src/extension/panels/tokens/tokens-session';
import {
  parseTokensMessage,
  parseTokensOpen,
  type TokensChoice,
  type TokensToPage,
} from '../../../src/protocol/panels/tokens';
import { tokenRow } from '../protocol/token-rows';

const soon = () => new Promise((resolve) => setImmediate(resolve));

function session(read: (choice: TokensChoice) => Promise<ReturnType<typeof tokenRow>>) {
  const posted: TokensToPage[] = [];
  const asked: { choice: TokensChoice; signal: AbortSignal }[] = [];
  const failed: unknown[] = [];
  const made = new TokensSession({
    experiment: 'mine',
    post: (message) => posted.push(message),
    read(choice, signal) {
      asked.push({ choice, signal });
      return read(choice);
    },
    failed: (e) => failed.push(e),
  });
  return { made, posted, asked, failed };
}

describe('the session of the Tokens page', () => {
  it('answers with the row, and repeats it for a page that is shown again without reading', async () => {
    const { made, posted, asked } = session(() => Promise.resolve(tokenRow({ name: '7' })));
    made.show({ row: '7' });
    await soon();
    expect(posted.map((m) => m.type)).toEqual(['reading', 'row']);
    expect(posted[1]).toMatchObject({ experiment: 'mine', row: { name: '7' } });
    made.show({ row: '7' });
    expect(posted.map((m) => m.type)).toEqual(['reading', 'row', 'row']);
    made.refresh();
    await soon();
    expect(asked.map(({ choice }) => choice)).toEqual([{ row: '7' }, { row: '7' }]);
  });

  it('answers only the last request, and ends the one before', async () => {
    const answers: ((name: string) => void)[] = [];
    const { made, posted, asked } = session(
      () => new Promise((resolve) => answers.push((name) => resolve(tokenRow({ name })))),
    );
    made.show({ row: '1' });
    made.show({ row: '2' });
    expect(asked[0]!.signal.aborted).toBe(true);
    answers[1]!('2');
    answers[0]!('1');
    await soon();
    expect(posted.flatMap((m) => (m.type === 'row' ? [m.row.name] : []))).toEqual(['2']);
    made.show({ row: '3' });
    made.dispose();
    expect(asked[2]!.signal.aborted).toBe(true);
  });

  it('shows an error with the next step, and recovers with the next row', async () => {
    let fails = true;
    const { made, posted, failed } = session(() =>
      fails
        ? Promise.reject(new AuroraError('usage', 'No row 9.', 'Give another.'))
        : Promise.resolve(tokenRow({ name: '1' })),
    );
    made.show({ row: '9' });
    await soon();
    expect(posted.at(-1)).toEqual({ type: 'error', message: 'No row 9. Give another.' });
    expect(failed).toHaveLength(1);
    fails = false;
    made.show({});
    await soon();
    expect(posted.at(-1)!.type).toBe('row');
  });
});

describe('messages of the Tokens page', () => {
  it('are taken as they are', () => {
    for (const message of [
      { type: 'openRow' },
      { type: 'openExperiment' },
      { type: 'show', batch: false },
      { type: 'show', row: 'a.csv:3', split: 'validation', batch: true },
    ])
      expect(parseTokensMessage(message)).toEqual(message);
    expect(parseTokensOpen({ file: '/e', row: '3', split: 'train' })).toEqual({
      file: '/e',
      row: '3',
      split: 'train',
    });
  });

  it.each([
    undefined,
    'show',
    { type: 'other' },
    { type: 'show', row: 3 },
    { type: 'show', row: '' },
    { type: 'show', row: '1'.repeat(2000) },
    { type: 'show', split: 'test' },
  ])('are refused if they are unknown: %j', (message) => {
    expect(parseTokensMessage(message)).toBeUndefined();
    if (typeof message === 'object') expect(parseTokensOpen({ ...message, file: 3 })).toBeUndefined();
  });
});
