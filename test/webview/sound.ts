import { expect } from 'vitest';
import { canvases, faintTexts, shownTexts } from './contrast';
import type { Opened } from './harness';

/**
 * Expects a page without CSP, accessibility, contrast and layout problems, and saves a picture of it.
 *
 * @param texts it shows more than these, so that there is something to look at
 */
export async function expectSound(
  { opened, errors }: { opened: Opened; errors: string[] },
  picture: string,
  texts: number,
): Promise<void> {
  const { page } = opened;
  expect(await opened.complaints()).toEqual([]);
  expect(await opened.accessibility()).toEqual([]);
  expect(await shownTexts(page)).toBeGreaterThan(texts);
  expect(await faintTexts(page)).toEqual([]);
  expect((await canvases(page)).blank).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  await opened.screenshot(picture);
  expect(errors).toEqual([]);
}
