import type { Frame, Locator } from 'playwright-core';
import type { Window } from './window';

/**
 * Opens the first layer of an activations page, and by keyboard one bin after the other, until one has tokens to show.
 *
 * @returns the link to the row of the first of them, and the bin
 */
export async function binWithTokens(
  window: Window,
  page: Frame,
): Promise<{ link: Locator; bin: string | null }> {
  await page.locator('aurora-layer-card').first().focus();
  await window.page.keyboard.press('Enter');
  const bins = page.locator('[role="slider"][aria-label^="Bins of z"]');
  await bins.focus();
  const link = page.locator('.words button.link').first();
  let bin: string | null = null;
  // Waits for each bin's tokens before the next one, because a reload shows the last one requested.
  const openBin = async () => {
    await bins.press('Enter');
    bin = await bins.getAttribute('aria-valuenow');
    await page.locator(`.words[data-bin="${bin}"]`).waitFor();
  };
  await openBin();
  for (let i = 0; i < 40 && !(await link.count()); i++) {
    await bins.press('ArrowRight');
    await openBin();
  }
  return { link, bin };
}
