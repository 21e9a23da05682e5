import { expect } from 'vitest';
import { canvases, faintTexts, shownTexts } from './contrast';
import { LOOKS, type Opened } from './harness';

/**
 * Expects a page to be sound in each look, starting from the one in which it was opened. One page is enough: what it
 * shows took longer to prepare than to look at.
 */
export async function expectSoundInAllLooks(
  w: { opened: Opened; errors: string[] },
  picture: string,
  texts: number,
): Promise<void> {
  for (const look of LOOKS) {
    await w.opened.look(look);
    await expectSound(w, `${picture}-${look.theme}-${look.width}`, texts);
  }
}

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
  expect(await opened.complaints(), picture).toEqual([]);
  expect(await opened.accessibility(), picture).toEqual([]);
  expect(await shownTexts(page), picture).toBeGreaterThan(texts);
  expect(await faintTexts(page), picture).toEqual([]);
  expect((await canvases(page)).blank, picture).toBe(0);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, picture).toBeLessThanOrEqual(0);
  await opened.screenshot(picture);
  expect(errors, picture).toEqual([]);
}
