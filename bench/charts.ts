import { closeBrowser } from '../test/webview/harness';
import { RunFolder, watch, type Watched } from '../test/webview/run-fixture';
import { quantiles, type Quantiles } from './samples';

/**
 * The Run dashboard's page in Chromium, fed by the host's own reader. Prints one JSON line: ms per frame of a pan and
 * zoom over many points, and ms from a record in scalars.bin to the frame that draws it.
 */
const POINTS = Number(process.argv[2] ?? 100_000);
const RECORDS = Number(process.argv[3] ?? 60);
/** Number of each: wheel steps, one per frame. */
const FRAMES = 120;

async function main(): Promise<void> {
  try {
    const pan = await panned();
    const line = await drawn();
    process.stdout.write(`${JSON.stringify({ points: POINTS, pan, records: RECORDS, line })}\n`);
  } finally {
    await closeBrowser();
  }
}

async function panned(): Promise<Quantiles> {
  const run = new RunFolder('long', POINTS);
  run.start();
  run.append(1, POINTS);
  run.status('stopped', POINTS);
  const w = await watch([run.folder]);
  try {
    await w.page.waitForTimeout(1500);
    const { intervals, drawn } = await w.page.evaluate(turnTheWheel, FRAMES);
    // Otherwise, a page that skips frames would look fast.
    if (drawn < intervals.length - 2)
      throw new Error(`Only ${drawn} of ${intervals.length} frames were drawn.`);
    return quantiles(intervals);
  } finally {
    await w.stop();
  }
}

/**
 * Runs in the page: zooms in a little, pans there and back, zooms out, one wheel step per frame. Returns ms per frame,
 * and how often the loss was drawn.
 */
async function turnTheWheel(count: number): Promise<{ intervals: number[]; drawn: number }> {
  const over = document.querySelector<HTMLElement>('[data-chart=loss] .u-over')!;
  const box = over.getBoundingClientRect();
  const place = { clientX: box.left + box.width / 2, clientY: box.top + 40, bubbles: true, cancelable: true };
  const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
  const kinds = [
    ...Array.from({ length: 20 }, () => ({ deltaY: -20, ctrlKey: true })),
    ...Array.from({ length: count }, (_, i) => ({ deltaY: i < count / 2 ? 15 : -15, shiftKey: true })),
    ...Array.from({ length: 20 }, () => ({ deltaY: 20, ctrlKey: true })),
  ];
  let drawn = 0;
  document.querySelector('[data-chart=loss]')!.addEventListener('chart-drawn', () => drawn++);
  const intervals: number[] = [];
  let before = await frame();
  for (const kind of kinds) {
    // Between frames, like real ones.
    await new Promise((resolve) => setTimeout(resolve, 0));
    over.dispatchEvent(new WheelEvent('wheel', { ...place, ...kind }));
    const now = await frame();
    intervals.push(now - before);
    before = now;
  }
  await frame();
  return { intervals, drawn };
}

async function drawn(): Promise<Quantiles> {
  const run = new RunFolder('live', 900);
  run.start();
  run.append(1, 50);
  run.status('running', 50);
  const w = await watch([run.folder]);
  try {
    const times: number[] = [];
    for (let step = 51; step <= 50 + RECORDS; step++) {
      // At irregular intervals, to avoid aligning with the reader's polling.
      await w.page.waitForTimeout(300 + ((step * 137) % 250));
      if (step % 10 === 0) run.status('running', step);
      times.push(await lineToPoint(w, run, step));
    }
    return quantiles(times);
  } finally {
    await w.stop();
  }
}

async function lineToPoint(w: Watched, run: RunFolder, step: number): Promise<number> {
  const seen = w.page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        const look = () => {
          const slider = document.querySelector('[data-chart=loss] [role=slider]')!;
          // The attribute is set along with the view drawn in this frame.
          if (Number(slider.getAttribute('aria-valuenow')) < wanted) return;
          document.removeEventListener('chart-drawn', look);
          resolve();
        };
        document.addEventListener('chart-drawn', look);
      }),
    step,
  );
  await w.page.evaluate(() => 0);
  const began = performance.now();
  run.append(step, step);
  await seen;
  return performance.now() - began;
}

void main();
