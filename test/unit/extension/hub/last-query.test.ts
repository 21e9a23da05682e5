import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LastQuery } from '../../../../src/extension/hub/repository-suggestions';

/** Answers when told to, so that the order of the answers can be chosen. */
function server() {
  const asked: {
    text: string;
    signal: AbortSignal;
    answer: (text: string) => void;
    fail: (e: Error) => void;
  }[] = [];
  const search = (text: string, signal: AbortSignal) =>
    new Promise<string>((answer, fail) => asked.push({ text, signal, answer, fail }));
  return { asked, search };
}

test('searches for what was typed last, once typing has paused', async () => {
  const { asked, search } = server();
  const query = new LastQuery(search, 10);
  const [first, second, third] = ['r', 'ro', 'rob'].map((text) => query.ask(text));
  await wait(50);
  expect(asked.map(({ text }) => text)).toEqual(['rob']);
  asked[0].answer('found');
  expect(await Promise.all([first, second, third])).toEqual([undefined, undefined, 'found']);
});

test('gives up an earlier search, whose late answer or failure is not shown', async () => {
  const { asked, search } = server();
  const query = new LastQuery(search, 0);
  const first = query.ask('bert');
  await expect.poll(() => asked.length).toBe(1);
  const second = query.ask('roberta');
  expect(asked[0].signal.aborted).toBe(true);
  await expect.poll(() => asked.length).toBe(2);
  asked[1].answer('roberta');
  asked[0].fail(new Error('canceled'));
  expect(await first).toBeUndefined();
  expect(await second).toBe('roberta');
});

test('reports the failure of the last search', async () => {
  const query = new LastQuery(() => Promise.reject(new Error('no network')), 0);
  await expect(query.ask('bert')).rejects.toThrow('no network');
});

test('canceled, it answers nothing', async () => {
  const { search } = server();
  const query = new LastQuery(search, 0);
  const asked = query.ask('bert');
  query.cancel();
  expect(await asked).toBeUndefined();
});
