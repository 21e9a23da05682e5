import { expect, it } from 'vitest';
import { progressReport } from '../../../../src/cli/commands/mcp/progress-report';
import { until } from '../../../until';

interface Sent {
  progress: number;
  total?: number;
  message: string;
}

function reported(token?: string, every?: number): { sent: Sent[] } & ReturnType<typeof progressReport> {
  const sent: Sent[] = [];
  const client = {
    ...(token !== undefined && { _meta: { progressToken: token } }),
    sendNotification: (notification) => {
      sent.push(notification.params as Sent);
      return Promise.resolve();
    },
  } satisfies Parameters<typeof progressReport>[0];
  return { sent, ...progressReport(client, every) };
}

it('numbers grow with each notification, also from one part of the work to the next', () => {
  const { sent, report, end } = reported('t');
  report('Reading');
  report('Reading');
  report('Step 5 of 9', 5, 9);
  report('Step 2 of 9', 2, 9);
  report('Step 9 of 9', 9, 9);
  end();
  expect(sent.map(({ message }) => message)).toEqual([
    'Reading',
    'Step 5 of 9',
    'Step 2 of 9',
    'Step 9 of 9',
  ]);
  const numbers = sent.map(({ progress }) => progress);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(4);
  expect(sent[1]).toMatchObject({ progress: 5, total: 9 });
  expect(sent[2]!.total).toBeUndefined();
});

it('a client that did not ask for progress gets none', () => {
  const { sent, report, end } = reported();
  report('Reading', 1, 2);
  end();
  expect(sent).toEqual([]);
});

it('says the same again as a sign of life, until the call has ended', async () => {
  const { sent, report, end } = reported('t', 1);
  report('Waiting');
  await until(() => sent.length > 2);
  end();
  expect(new Set(sent.map(({ message }) => message))).toEqual(new Set(['Waiting']));
  expect(sent[2]!.progress).toBeGreaterThan(sent[1]!.progress);
});
