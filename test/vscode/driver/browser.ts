import { chromium, type Browser } from 'playwright-core';
import { ensureChromium } from '../../../scripts/lib/system.mjs';

let browser: Promise<Browser> | undefined;

/** One Chromium for all windows of a test file. */
export const launch = (): Promise<Browser> =>
  (browser ??= chromium.launch({
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
  }));

/** Call this in afterAll. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}
