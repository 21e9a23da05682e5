import type { Opened } from './harness';

/** Sends a host's messages to the page in order. Once the page is closed, the rest are dropped. */
export function sender({ send }: Opened): { post(message: unknown): void; settled(): Promise<void> } {
  let sending = Promise.resolve();
  return {
    post(message) {
      sending = sending.then(() => send(message)).catch(() => {});
    },
    settled: () => sending,
  };
}

/** Passes further messages from the page to the host, parsed as by the host; the harness handles `ready`. */
export async function hearPage<M>(
  { page }: Opened,
  parse: (message: unknown) => M | undefined,
  receive: (message: M) => void,
  refuse: (problem: string) => void,
): Promise<void> {
  await page.exposeFunction('toHost', (message: unknown) => {
    const known = parse(message);
    if (known) receive(known);
    else refuse(`unknown message ${JSON.stringify(message)}`);
  });
  await page.evaluate(() => {
    const { sent } = (window as unknown as { harness: { sent: { type: string }[] } }).harness;
    const host = window as unknown as { toHost(m: unknown): void };
    const push = sent.push.bind(sent);
    sent.push = (...messages) => {
      for (const m of messages) if (m.type !== 'ready') host.toHost(m);
      return push(...messages);
    };
  });
}
