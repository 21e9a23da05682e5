import type { Frame } from 'playwright-core';
import { expect } from 'vitest';
import { canvases, contrasts, faintTexts, shownTexts } from '../webview/contrast';
import type { Window } from '../vscode/driver/window';

/**
 * Runs a command with no other tab open, so that the page belongs to it, and picks runs by the end of their
 * ids.
 */
export async function choose(window: Window, command: string, ids: string[]): Promise<void> {
  const { page } = window;
  await window.palette('View: Close All Editors');
  await window.palette(command);
  await page.locator('.quick-input-widget:visible', { hasText: 'run' }).waitFor();
  for (const id of ids) await window.pick(`· ${id.slice(-8, -4)}`);
  if (ids.length > 1) await page.keyboard.press('Enter');
}

/** Waits for a page, takes its picture and checks it. */
export async function look(window: Window, selector: string, name: string): Promise<Frame> {
  const frame = await window.frameWith(selector);
  await frame.locator(selector).first().waitFor();
  await window.settled();
  await window.screenshot(name);
  await legible(frame);
  return frame;
}

export async function legible(frame: Frame): Promise<void> {
  expect(await shownTexts(frame)).toBeGreaterThan(20);
  expect.soft(await faintTexts(frame)).toEqual([]);
  expect.soft((await canvases(frame)).blank).toBe(0);
  const [axes, ...series] = await contrasts(frame, [
    '--vscode-foreground',
    ...['blue', 'orange', 'green', 'purple', 'red', 'yellow'].map((c) => `--series-${c}`),
  ]);
  expect.soft(axes).toBeGreaterThanOrEqual(4.5);
  for (const ratio of series) expect.soft(ratio).toBeGreaterThanOrEqual(3);
  // If a theme lacks a color, two series must not both become gray.
  const orange = await frame.evaluate(() =>
    getComputedStyle(document.body).getPropertyValue('--series-orange').match(/\d+/g)!.map(Number),
  );
  expect.soft(Math.max(...orange) - Math.min(...orange)).toBeGreaterThan(60);
}
