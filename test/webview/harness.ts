import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { panelHtml } from '../../src/extension/panels/html';
import themes from '../fixtures/themes.json';

const ROOT = join(__dirname, '..', '..');
/** The prefix under which pages find files of runs, by their absolute paths. */
const FILES = '/files/';
/** As `PageChannel.address` of the host. */
export const address = (path: string): string => FILES + encodeURI(path.replace(/^\//, ''));

/**
 * The CSS variables of Dark Modern, Light Modern and the two high-contrast themes, taken from VS Code 1.100.
 */
export type Theme = keyof typeof themes;
export const THEMES = Object.keys(themes) as Theme[];

export interface Look {
  theme: Theme;
  width: number;
}

/**
 * The looks of a page: each theme and each width once. Widths change the layout, themes the colors and, in high
 * contrast, the borders.
 */
export const LOOKS: Look[] = [
  { theme: 'dark', width: 320 },
  { theme: 'light', width: 1600 },
  { theme: 'hc-dark', width: 1000 },
  { theme: 'hc-light', width: 320 },
];

export interface Opened {
  page: Page;
  /** Messages from the page to its host so far. */
  sent(): Promise<{ type: string; [key: string]: unknown }[]>;
  /** The state that the page has stored for its next opening (`setState`). */
  state(): Promise<unknown>;
  /** Changes the theme and the width of the open page, as VS Code does, and waits until it was drawn again. */
  look(look: Look): Promise<void>;
  /** Sends a message from the host to the page, and waits until the page has drawn it. Typed arrays are preserved. */
  send(message: unknown): Promise<void>;
  /** Violations of the page's Content-Security-Policy, and errors thrown in the page. */
  complaints(): Promise<string[]>;
  /** axe-core's serious and critical findings, as "rule: element", and controls without a name. */
  accessibility(): Promise<string[]>;
  /** Saves to .cache/screenshots/<name>.jpg, which Git ignores; writing a PNG takes longer. */
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

/** The part of axe-core's results that its types leave out. */
interface Rated {
  _audit: { rules: { id: string; impact?: string }[] };
}

let browser: Promise<Browser> | undefined;
const launch = (): Promise<Browser> => (browser ??= started());

function started(): Promise<Browser> {
  const gone = () => (browser = undefined);
  const made = chromium.launch({
    executablePath: chromiumPath(),
    // Root, as in a container, cannot use the sandbox.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
  });
  // The next file starts another one.
  made.then((running) => running.once('disconnected', gone), gone);
  return made;
}

/** Call this in afterAll. The browser stays for the next files of this process, and ends with it. */
export async function closePages(): Promise<void> {
  for (const context of (await browser)?.contexts() ?? []) await context.close();
}

/** For a program that would not end otherwise. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

export function chromiumPath(): string {
  const found = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ]
    .filter((p) => p !== undefined)
    .find((p) => existsSync(p));
  if (!found) throw new Error('These tests need Chromium: install it, or set CHROMIUM to its path.');
  return found;
}

/**
 * Opens a built page as VS Code would, with the host's own HTML and CSP, a theme's variables and the webview
 * API.
 */
export async function openPanel(
  name:
    | 'run'
    | 'runs'
    | 'sweep'
    | 'claim'
    | 'budget'
    | 'activations'
    | 'errors'
    | 'playground'
    | 'tokens'
    | 'study',
  options: { theme?: Theme; width?: number; height?: number; state?: unknown } = {},
): Promise<Opened> {
  const { theme = 'dark', width = 1000, height = 900, state } = options;
  const server = await serve(name);
  const { port } = server.address() as AddressInfo;
  const page = await (await launch()).newPage({ viewport: { width, height } });
  // As long as a poll waits: a page answers in a moment, unless the machine has other work.
  page.setDefaultTimeout(120_000);
  const errors: string[] = [];
  page.on('pageerror', (e) => errors.push(`error: ${e.message}`));
  page.on('console', (m) => m.type() === 'error' && errors.push(`console: ${m.text()}`));
  await page.addInitScript(inPage, { theme: themes[theme], state });
  await page.goto(`http://127.0.0.1:${port}/`);
  const read = <T>(what: 'sent' | 'violations') =>
    page.evaluate(
      (key) => (window as unknown as Record<string, Record<string, unknown>>).harness[key],
      what,
    ) as Promise<T[]>;
  return {
    page,
    sent: () => read('sent'),
    send: (message) =>
      page.evaluate(async (m) => {
        // The page listens since it was loaded, so it has received the message first, and has drawn it by the next task.
        const received = new Promise((done) => addEventListener('message', done, { once: true }));
        window.postMessage(m, '*');
        await received;
        const { port1, port2 } = new MessageChannel();
        const next = new Promise((done) => (port1.onmessage = done));
        port2.postMessage(0);
        await next;
        port1.close();
      }, message),
    async look(to) {
      await page.setViewportSize({ width: to.width, height });
      await page.evaluate(async (theme) => {
        (window as unknown as { harness: { dress(t: unknown): void } }).harness.dress(theme);
        // Observers of the theme or of sizes draw in a later frame.
        for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
      }, themes[to.theme]);
    },
    complaints: async () => [...(await read<string>('violations')), ...errors],
    state: () =>
      page.evaluate(() =>
        (window as unknown as { acquireVsCodeApi(): { getState(): unknown } }).acquireVsCodeApi().getState(),
      ),
    async accessibility() {
      if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => {
        const checker = (window as unknown as { axe: typeof axe & Rated }).axe;
        // A rule's impact is that of all its findings, and lesser ones are not reported.
        const lesser = checker._audit.rules.filter((r) => r.impact === 'minor' || r.impact === 'moderate');
        const rules = Object.fromEntries(lesser.map(({ id }) => [id, { enabled: false }]));
        return checker.run(document, { resultTypes: ['violations'], rules });
      });
      const found = violations
        .filter((v) => v.impact === 'serious' || v.impact === 'critical')
        .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 200)} ${n.failureSummary ?? ''}`));
      return [...found, ...(await unnamedControls(page))];
    },
    async screenshot(file) {
      const path = join(ROOT, '.cache', 'screenshots', `${file}.jpg`);
      mkdirSync(dirname(path), { recursive: true });
      await picture(page, path);
    },
    async close() {
      await page.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

/** Chromium may lose the frame of a page that grows to its full height, on a busy machine. */
async function picture(page: Page, path: string): Promise<void> {
  for (let tries = 3; ; tries--)
    try {
      await page.screenshot({ path, fullPage: true });
      return;
    } catch (e) {
      if (tries === 1 || !(e as Error).message.includes('Unable to capture screenshot')) throw e;
    }
}

/** Runs before the page's own script. */
function inPage({ theme, state }: { theme: (typeof themes)[Theme]; state: unknown }): void {
  const harness = { sent: [] as unknown[], violations: [] as string[], dress };
  let kept = state;
  Object.assign(window, {
    harness,
    acquireVsCodeApi: () => ({
      postMessage: (m: unknown) => harness.sent.push(structuredClone(m)),
      getState: () => kept,
      setState: (s: unknown) => (kept = structuredClone(s)),
    }),
  });
  addEventListener('securitypolicyviolation', (e) =>
    harness.violations.push(
      `CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile ?? ''}:${e.lineNumber}`,
    ),
  );
  const sheet = new CSSStyleSheet();
  function dress(now: typeof theme): void {
    const root = document.documentElement.style;
    for (const key of [...root].filter((k) => k.startsWith('--vscode-'))) root.removeProperty(key);
    for (const [key, value] of Object.entries(now.variables)) root.setProperty(key, value);
    document.body.className = now.bodyClass;
    Object.assign(document.body.dataset, now.bodyData);
    sheet.replaceSync(now.defaultStyles);
    if (!document.adoptedStyleSheets.includes(sheet))
      document.adoptedStyleSheets = [sheet, ...document.adoptedStyleSheets];
  }
  // In VS Code, the body exists before the script runs.
  new MutationObserver((_, observer) => {
    if (!document.body) return;
    observer.disconnect();
    dress(theme);
  }).observe(document, { childList: true, subtree: true });
}

async function serve(name: string): Promise<Server> {
  const types: Record<string, string> = {
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.png': 'image/png',
  };
  const server = createServer((request, response): unknown => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/') {
      const origin = `http://${request.headers.host}`;
      response.setHeader('content-type', 'text/html');
      const nonce = randomBytes(16).toString('base64');
      return response.end(
        panelHtml({
          title: 'AuroRA',
          cspSource: origin,
          nonce,
          script: `${origin}/${name}.js`,
          style: `${origin}/${name}.css`,
        }),
      );
    }
    const file = path.startsWith(FILES)
      ? decodeURIComponent(path.slice(FILES.length - 1))
      : join(ROOT, 'dist', 'webview', path);
    response.statusCode = existsSync(file) ? 200 : path === '/favicon.ico' ? 204 : 404;
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    return response.end(existsSync(file) ? readFileSync(file) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const CONTROLS = [
  'slider',
  'button',
  'checkbox',
  'combobox',
  'listbox',
  'radio',
  'searchbox',
  'spinbutton',
  'switch',
  'textbox',
];

/** Controls that a screen reader would announce by their role alone, from the browser's own accessibility tree. */
async function unnamedControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(({ ignored, role, name }) => !ignored && CONTROLS.includes(role?.value as string) && !name?.value)
    .map(({ role, nodeId }) => `no name: ${role?.value} ${nodeId}`);
}
