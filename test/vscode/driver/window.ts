import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';
import type { WorkbenchServer } from '../../../scripts/lib/workbench/server.mjs';
import { launch } from './browser';

const SHOTS = join(__dirname, '..', '..', '..', '.cache', 'screenshots', 'workbench');
const START_MS = 60_000;
/** The side bar appears together with the window or not at all. */
const SIDE_BAR_MS = 4000;
const TOAST_MS = 10_000;
/** A menu ignores clicks in its first tenth of a second. */
const MENU_MS = 300;
const PALETTE_MS = 15_000;

const INPUT = '.quick-input-widget input:not([type="checkbox"])';

/** A workbench window, driven as by a user: keyboard, palette and menus. */
export class Window {
  /** True if the Side Bar may be visible without a click: it stays, and reappears after a reload. */
  private mayBeShown = false;

  private constructor(readonly page: Page) {}

  /** Opens a folder, or an empty window without one, and waits for the workbench. */
  static async open(
    server: WorkbenchServer,
    folder?: string,
    { width = 1280, height = 800 }: { width?: number; height?: number } = {},
  ): Promise<Window> {
    const page = await (
      await launch()
    ).newPage({ viewport: { width, height }, permissions: ['clipboard-read', 'clipboard-write'] });
    page.setDefaultTimeout(120_000);
    await page.goto(server.url(folder));
    const window = new Window(page);
    await window.ready();
    return window;
  }

  /** Reloads as a user would, so that the workbench can save open files. */
  async reload(): Promise<void> {
    this.mayBeShown = true;
    const loaded = this.page.waitForEvent('load', { timeout: START_MS });
    await this.palette('Developer: Reload Window');
    await loaded;
    await this.ready();
  }

  private async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor({ timeout: START_MS });
    await this.page.locator('.statusbar').waitFor({ timeout: START_MS });
  }

  /** Runs a command by its full title, such as "AuroRA: Run Experiment"; `onRun` is called just before. */
  async palette(title: string, onRun: () => void = () => undefined): Promise<void> {
    const box = this.page.locator(INPUT).first();
    for (let tries = 1; ; tries++) {
      await this.page.keyboard.press('F1');
      try {
        await box.waitFor({ timeout: PALETTE_MS });
        // `fill`, because typed keys can arrive before the focus, especially after a webview had it.
        await box.fill(`>${title}`, { timeout: PALETTE_MS });
        await this.option(title).waitFor({ timeout: PALETTE_MS });
        onRun();
        return await this.option(title).click({ timeout: PALETTE_MS });
      } catch (e) {
        // On a busy machine, a webview's focus can arrive late and close the palette again, and a command be offered late.
        if (tries === 3) throw e;
        if (await box.isVisible()) await this.page.keyboard.press('Escape');
      }
    }
  }

  /** The titles that the palette offers for a query. */
  async offered(words: string): Promise<string[]> {
    await this.page.keyboard.press('F1');
    await this.page.locator(INPUT).first().fill(`>${words}`);
    await this.page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await this.page.waitForTimeout(300);
    const rows = await this.page.locator('.quick-input-list .monaco-list-row').all();
    const titles = await Promise.all(rows.map((row) => row.getAttribute('aria-label')));
    await this.page.keyboard.press('Escape');
    return titles.map((t) => t ?? '');
  }

  /** Picks an entry of an open quick pick. */
  async pick(label: string): Promise<void> {
    // By its text, because the accessible name starts with the icon's name if the row has one.
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first();
    await row.waitFor();
    for (let tries = 1; ; tries++)
      try {
        return await row.click({ timeout: PALETTE_MS });
      } catch (e) {
        if (tries === 3) throw e;
        // The mouse still rests where the last click was, and on a busy machine a tooltip came up there.
        await this.page.mouse.move(0, 0);
      }
  }

  /** Types the text of a row into an open list and accepts it, wherever the focus was. */
  async type(label: string): Promise<void> {
    const box = this.page.locator(INPUT).first();
    await box.fill(label);
    await this.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: label }).waitFor();
    await box.press('Enter');
  }

  private option(label: string): Locator {
    const start = label.replaceAll('"', '\\"');
    return this.page.locator(`.quick-input-list .monaco-list-row[aria-label^="${start}"]`).first();
  }

  /** Fills in an open input box. `prompt` is part of its title, prompt or placeholder. */
  async input(prompt: string, value: string): Promise<void> {
    await this.page.locator('.quick-input-widget', { hasText: prompt }).waitFor();
    await this.page.locator(INPUT).first().fill(value);
    await this.page.keyboard.press('Enter');
  }

  /**
   * Fills in the workbench's own folder dialog, which inserts the start folder into its box, and does so
   * late.
   */
  async folder(path: string, button: string): Promise<void> {
    const dialog = this.page.locator('.quick-input-widget:visible', {
      has: this.page.getByRole('button', { name: button }),
    });
    const box = dialog.locator('input').first();
    const written = async (text: string) => {
      await box.fill(text);
      await this.page.waitForTimeout(MENU_MS);
      return (await box.inputValue()) === text;
    };
    for (let tries = 1; !(await written(`${path}/`)); tries++)
      if (tries === 10) throw new Error('The dialog does not take a path.');
    await dialog.getByRole('button', { name: button }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** Accepts the workbench's own dialog for saving a file, once it has inserted the proposed name. */
  async acceptFile(name: string): Promise<void> {
    const box = this.page.locator(INPUT).first();
    await box.waitFor();
    for (let tries = 1; !(await box.inputValue()).endsWith(name); tries++) {
      if (tries === 50) throw new Error(`The dialog does not propose ${name}.`);
      await this.page.waitForTimeout(MENU_MS);
    }
    await box.press('Enter');
    await box.waitFor({ state: 'hidden' });
  }

  /** Presses a button of a modal dialog with `text` in its message. */
  async modal(text: string, button: string): Promise<void> {
    const dialog = this.page.locator('.monaco-dialog-box', { hasText: text });
    await dialog.waitFor();
    await dialog.getByRole('button', { name: button }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** A notification that contains `text`. */
  toast(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast', { hasText: text }).first();
  }

  /**
   * Like `toast`, but also finds notifications that the editor has already moved to the notification center.
   */
  async said(text: string | RegExp): Promise<Locator> {
    const toast = this.toast(text);
    if (
      await toast.waitFor({ timeout: TOAST_MS }).then(
        () => true,
        () => false,
      )
    )
      return toast;
    await this.palette('Notifications: Show Notifications');
    const listed = this.page
      .locator('.notifications-center .notification-list-item', { hasText: text })
      .first();
    await listed.waitFor();
    return listed;
  }

  /** Presses a notification's button, even after a later and taller one has taken its place. */
  async pressToast(text: string | RegExp, button: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      const notice = await this.said(text);
      try {
        return await notice.getByRole('button', { name: button }).click({ timeout: PALETTE_MS });
      } catch (e) {
        if (tries === 3) throw e;
      }
    }
  }

  /** Shows the AuroRA side bar. */
  async sideBar(): Promise<void> {
    // Includes the badge, which covers the icon during training.
    const icon = this.page.locator('a[aria-label^="AuroRA"]');
    const entry = this.page.locator('.activitybar .action-item', { has: icon });
    await entry.waitFor({ timeout: START_MS });
    const shown = () => this.pane('Experiments').waitFor({ timeout: SIDE_BAR_MS });
    // A click would hide it.
    const first = this.mayBeShown ? shown() : entry.click().then(shown);
    this.mayBeShown = true;
    await first.catch(() => entry.click().then(shown)).catch(() => entry.click());
    await this.pane('Experiments').waitFor();
  }

  pane(title: string): Locator {
    return this.page.locator('.sidebar .pane', {
      has: this.page.locator('.pane-header', { hasText: title }),
    });
  }

  /** A row of a tree in the side bar that contains `text`. */
  row(text: string | RegExp): Locator {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: text }).first();
  }

  /** Expands a row once it has children. */
  async expand(row: Locator): Promise<void> {
    const twistie = row.locator('.monaco-tl-twistie.collapsible');
    await twistie.waitFor();
    if ((await row.getAttribute('aria-expanded')) === 'false') await twistie.click();
    await this.page.locator('.sidebar .monaco-list-row[aria-expanded="true"]').first().waitFor();
  }

  /** The texts of a view's rows, with label and description. */
  rows(title = 'Experiments'): Promise<string[]> {
    return this.pane(title).locator('.monaco-list-row').allInnerTexts();
  }

  async contextMenu(row: Locator, action: string): Promise<void> {
    const item = this.page.locator('.monaco-menu .action-label', { hasText: action }).first();
    for (let tries = 1; ; tries++) {
      await row.click({ button: 'right' });
      try {
        await item.waitFor({ timeout: PALETTE_MS });
        await this.page.waitForTimeout(MENU_MS);
        return await item.click({ timeout: PALETTE_MS });
      } catch (e) {
        // A webview's focus or a change of the tree can close the menu again.
        if (tries === 3) throw e;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Opens a file of the workspace with Go to File. */
  async openFile(name: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.page.keyboard.press('F1');
      const box = this.page.locator(INPUT).first();
      try {
        await box.waitFor({ timeout: PALETTE_MS });
        await box.fill(name, { timeout: PALETTE_MS });
        const found = this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first();
        await found.waitFor({ timeout: PALETTE_MS });
        break;
      } catch (e) {
        // The list of files was read before this one was written, or the focus went elsewhere.
        if (tries === 5) throw e;
        await this.page.keyboard.press('Escape');
      }
    }
    await this.page.keyboard.press('Enter');
    await this.tab(name).waitFor();
  }

  tab(title: string | RegExp): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: title }).first();
  }

  statusBar(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text }).first();
  }

  /** The page inside a webview, found by its content because several can be open. */
  async frameWith(selector: string, limit = 300_000, every = 100): Promise<Frame> {
    for (const end = Date.now() + limit; Date.now() < end; await this.page.waitForTimeout(every))
      for (const frame of this.page.frames())
        if (
          await frame
            .locator(selector)
            .count()
            .catch(() => 0)
        )
          return frame;
    throw new Error(`No webview shows ${selector}.`);
  }

  /** Waits for animations: scroll bars, progress, a chart's first drawing. */
  async settled(): Promise<void> {
    await this.page.mouse.move(0, 0);
    await this.page.waitForTimeout(1500);
  }

  /** Saves to .cache/screenshots/workbench/<name>.png. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(SHOTS, { recursive: true });
    const path = join(SHOTS, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
