import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, say } from './console.mjs';
import { ROOT } from './run.mjs';
import { ensureChromium } from './system.mjs';

const SHOTS = join(ROOT, '.cache/screenshots/workbench');
const IMAGES = join(ROOT, 'docs/images');
const LIMIT = 200 * 1024;

/** The README's pictures: the source shot and the region in pixels. */
const PARTS = {
  welcome: { shot: 'welcome-dark', x: 0, y: 0, width: 1280, height: 560 },
  experiment: { shot: 'hover-dark', x: 0, y: 0, width: 1280, height: 860 },
  wizard: { shot: 'wizard-dark', x: 0, y: 0, width: 1280, height: 420 },
  preflight: { shot: 'preflight-dark', x: 348, y: 36, width: 932, height: 790 },
  run: { shot: 'run-dark', x: 0, y: 0, width: 1280, height: 830 },
  compare: { shot: 'compare-dark', x: 348, y: 0, width: 932, height: 830 },
  layer: { shot: 'layer-dark', x: 348, y: 36, width: 932, height: 790 },
  playground: { shot: 'playground-dark', x: 348, y: 0, width: 932, height: 560 },
  errors: { shot: 'errors-dark', x: 348, y: 36, width: 932, height: 790 },
  budget: { shot: 'budget-dark', x: 348, y: 36, width: 932, height: 790 },
};

/** Crops the regions out of the shots, into docs/images. */
export async function cropForReadme() {
  mkdirSync(IMAGES, { recursive: true });
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    for (const [name, { shot, ...clip }] of Object.entries(PARTS)) {
      const from = join(SHOTS, `${shot}.png`);
      if (!existsSync(from)) throw new Failure(`${from} is missing.`);
      await page.goto(pathToFileURL(from).href);
      const path = join(IMAGES, `${name}.png`);
      await page.screenshot({ path, clip });
      if (statSync(path).size > LIMIT)
        throw new Failure(
          `${path} has ${readFileSync(path).length} bytes; the limit for a README picture is ${LIMIT}.`,
        );
    }
  } finally {
    await browser.close();
  }
  say("The README's pictures are in docs/images/.");
}
