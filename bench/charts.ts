import { closeBrowser } from '../test/webview/harness';
import { RunFolder, watch, type Watched } from '../test/webview/run-fixture';

/**
 * The Run dashboard's page in Chromium, fed by the host's own reader. Prints one JSON line: the frames of a pan
 * and zoom over many points, and the time from a record in scalars.bin to the frame that has it drawn; ms.
 */
const POINTS = Number(process.argv[2] ?? 100_000);
const RECORDS = Number(process.argv[3] ?? 60);
/** Of each kind: steps of the wheel, one a frame. */
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

function quantiles(values: number[]): { median: number; p95: number; longest: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] * 10) / 10;
  return { median: at(0.5), p95: at(0.95), longest: at(1) };
}

async function panned(): Promise<object> {
  const run = new RunFolder('long', POINTS);
  run.start();
  run.append(1, POINTS);
  run.status('stopped', POINTS);
  const w = await watch([run.folder]);
  try {
    await w.page.waitForTimeout(1500);
    const frames = await w.page.evaluate(turnTheWheel, FRAMES);
    return { ...quantiles(frames.map((f) => f.interval)), work: quantiles(frames.map((f) => f.work)) };
  } finally {
    await w.stop();
  }
}

/**
 * Runs in the page: zooms in a little, pans there and back, zooms out. `interval` is from frame to frame;
 * `work` is what the page itself took of it: from the wheel's event to after the frame's callbacks.
 */
async function turnTheWheel(count: number): Promise<{ interval: number; work: number }[]> {
  const over = document.querySelector<HTMLElement>('[data-chart=loss] .u-over')!;
  const box = over.getBoundingClientRect();
  const place = { clientX: box.left + box.width / 2, clientY: box.top + 40, bubbles: true, cancelable: true };
  const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
  const out: { interval: number; work: number }[] = [];
  const kinds = [
    ...Array.from({ length: 20 }, () => ({ deltaY: -20, ctrlKey: true })),
    ...Array.from({ length: count }, (_, i) => ({ deltaY: i < count / 2 ? 15 : -15, shiftKey: true })),
    ...Array.from({ length: 20 }, () => ({ deltaY: 20, ctrlKey: true })),
  ];
  let before = await frame();
  for (const kind of kinds) {
    const began = performance.now();
    over.dispatchEvent(new WheelEvent('wheel', { ...place, ...kind }));
    await new Promise((resolve) => document.addEventListener('chart-drawn', resolve, { once: true }));
    // All charts draw in the same frame: a task after it is after all of them.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const work = performance.now() - began;
    const now = await frame();
    out.push({ interval: now - before, work });
    before = now;
  }
  return out;
}

async function drawn(): Promise<object> {
  const run = new RunFolder('live', 900);
  run.start();
  run.append(1, 50);
  run.status('running', 50);
  const w = await watch([run.folder]);
  try {
    const times: number[] = [];
    for (let step = 51; step <= 50 + RECORDS; step++) {
      // Apart from the rhythm of the reader's looks, in irregular steps.
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
          // The attribute is set with the view that is drawn in this frame.
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
