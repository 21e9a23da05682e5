import { expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { Failure, waitingTime, persist } from '../../../src/hub/http/http-failure';

const now = Date.parse('2026-01-01T00:00:00Z');
const wait = (headers: Record<string, string>) => waitingTime((name) => headers[name], now);

it.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60],
  [{ 'retry-after': 'Thu, 01 Jan 2025 00:00:00 GMT' }, 0],
  // https://huggingface.co/docs/hub/rate-limits
  [{ ratelimit: '"api";r=0;t=55' }, 55],
  [{ 'retry-after': 'soon', ratelimit: '"resolvers"; r=0; t=12' }, 12],
  [{}, undefined],
])('reads how long to wait from %j', (headers, seconds) => {
  expect(wait(headers as Record<string, string>)).toBe(seconds);
});

it('a download does not wait longer than the hub’s window', async () => {
  const error = new AuroraError('network', 'Later.');
  const action = () => Promise.reject(new Failure(error, 8, 3600));
  await expect(persist(action, {})).rejects.toBe(error);
});
