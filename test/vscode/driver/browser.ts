import { chromium, type Browser } from 'playwright-core';
import { ensureChromium } from '../../../scripts/lib/system.mjs';

let browser: Promise<Browser> | undefined;

/** One Chromium for all windows of a process, which runs several test files. */
export const launch = (): Promise<Browser> => (browser ??= started());

function started(): Promise<Browser> {
  const gone = () => (browser = undefined);
  const made = chromium.launch({
    executablePath: ensureChromium(),
    args: [
      // Root, as in a container, cannot use the sandbox.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  // The next file starts another one.
  made.then((running) => running.once('disconnected', gone), gone);
  return made;
}

/** Call this in afterAll: closes all windows. Chromium itself stays for the next file, and ends with this process. */
export async function closeBrowser(): Promise<void> {
  for (const context of (await browser)?.contexts() ?? []) await context.close();
}
