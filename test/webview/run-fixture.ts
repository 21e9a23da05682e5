import { appendFileSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach } from 'vitest';
import { runPaths, stepName } from '../../src/runs/layout';
import { ScalarsWriter } from '../../src/runs/curve/scalars';
import { ResourcesWriter } from '../../src/runs/resources/resources';
import { RunFeed } from '../../src/extension/panels/run/run-feed';
import type { RunStatus } from '../../src/protocol/events';
import type { RunToPage } from '../../src/protocol/panels/run';
import type { RunPictures } from '../../src/protocol/run-files/pictures';
import { picturesIndex } from '../../src/runs/samples-and-pictures';
import { spec as valid } from '../unit/extension/run-maker';
import { address, closePages, openPanel, type Opened, type Theme } from './harness';

/** Provided by the harness. */
declare function acquireVsCodeApi(): { setState(state: unknown): void };

const PROMPTS = ['a photo of sks dog', 'a photo of sks dog on the moon, in the style of an old engraving'];

/** A bright square of a share of the side, in noise. */
async function squarePicture(file: string, side: number, share: number, hue: number): Promise<void> {
  const pixels = Buffer.alloc(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const inside = Math.max(Math.abs(x - side / 2), Math.abs(y - side / 2)) < (share * side) / 2;
      for (let c = 0; c < 3; c++)
        pixels[(y * side + x) * 3 + c] = inside
          ? [230, 180 - 60 * hue, 60 + 90 * hue][c]
          : (x * 37 + y * 91 + x * y * 13 + c * 17) % 160;
    }
  await sharp(pixels, { raw: { width: side, height: side, channels: 3 } }).toFile(file);
}

/** A run folder in the trainer's format, of any length. */
export class RunFolder {
  readonly folder: string;
  private seq = 0;
  /** When the run started, in ms since 1970. */
  private readonly origin: number;

  constructor(
    readonly name: string,
    readonly steps: number,
    spec: Record<string, unknown> = {},
    home = mkdtempSync(join(tmpdir(), 'aurora-page-')),
  ) {
    this.folder = join(home, name);
    this.origin = Date.now() - steps * 100;
    mkdirSync(this.folder);
    const training = { batchSize: 8, gradientAccumulation: 1, metric: 'accuracy', learningRate: 1e-3 };
    const whole = {
      ...{ ...valid, ...spec, name },
      data: { ...valid.data, ...(spec.data as object) },
      training: { ...valid.training, ...training, ...(spec.training as object) },
    };
    writeFileSync(runPaths(this.folder).spec, JSON.stringify(whole));
  }

  /** When the record of a step was written, in ms since 1970. */
  timeOf(step: number): number {
    return this.origin + step * 100;
  }

  event(fields: object, t = this.origin): void {
    const line = { v: 1, seq: this.seq++, t, ...fields };
    appendFileSync(runPaths(this.folder).events, `${JSON.stringify(line)}\n`);
  }

  start(): void {
    this.event({
      kind: 'started',
      pid: 1,
      steps: this.steps,
      epochs: 4,
      trainExamples: this.steps * 2,
      validationExamples: 24,
      labels: ['a', 'b'],
      modules: ['layer.0.query'],
      trainable: 592,
      trainableHead: 66,
    });
  }

  status(state: string, step: number, more: Partial<RunStatus> = {}): void {
    writeFileSync(
      runPaths(this.folder).status,
      JSON.stringify({
        pid: 1,
        nonce: 'n',
        host: 'elsewhere',
        state,
        step,
        steps: this.steps,
        startedAt: this.origin,
        heartbeat: Date.now(),
        ...more,
      }),
    );
  }

  /**
   * Appends records of the steps `from` to `to`. The first one's `time` is a tenth of a second after the
   * start.
   */
  append(from: number, to: number, salt = 0): void {
    const writer = ScalarsWriter.open(this.folder);
    for (let step = from; step <= to; step++) {
      const noise = Math.sin(step * 12.9898 + salt * 7) * 43758.5453;
      const wobble = noise - Math.floor(noise);
      writer.append({
        step,
        time: this.origin + step * 100,
        loss: 0.7 * Math.exp(-step / (this.steps / 3)) + 0.1 + salt * 0.05 + 0.15 * wobble,
        learningRate: 1e-3 * (1 - step / (this.steps + 1)),
        gradientNorm: 1 + wobble * 3,
        examples: 8,
        tokens: 100 + Math.round(wobble * 20),
        seconds: 0.08 + wobble * 0.02,
        memory: 4e8 + step * 1000,
      });
    }
    writer.close();
  }

  evaluate(step: number, salt = 0): void {
    const progress = step / this.steps;
    this.event({
      kind: 'evaluation',
      step,
      epoch: progress * 4,
      best: true,
      seconds: 0.5,
      metrics: {
        loss: 0.75 - 0.4 * progress + salt * 0.03,
        accuracy: 0.5 + 0.4 * progress - salt * 0.02,
        f1: 0.45 + 0.42 * progress,
        matthews: 0.05 + 0.7 * progress,
        examples: 24,
      },
    });
  }

  /** A sample of the machine every second, as the trainer records them, while steps take a tenth of a second. */
  resources(to: number, gpu = NaN): void {
    const writer = new ResourcesWriter(this.folder);
    for (let step = 10; step <= to; step += 10)
      writer.append({
        step,
        time: this.origin + step * 100 + 30,
        processCpu: 0.5 + 0.3 * Math.sin(step / 50),
        machineCpu: 0.7 + 0.3 * Math.sin(step / 50),
        machineMemory: 6e9 + step * 1e5,
        gpu,
        gpuMemory: gpu * 8e9,
      });
  }

  /** Predictions of two rows, of which the second goes from right to wrong at the last evaluation. */
  samples(steps: readonly number[]): void {
    const rows = [
      { line: 3, text: 'A small web server, written in Rust', truth: 'net' },
      { line: 9, text: 'Plots functions of two variables', truth: 'math' },
    ];
    const evaluations = steps.map((step, i) => ({
      ...{ step, epoch: step / 100 },
      answers: [
        { said: i === 0 ? 'web' : 'net', right: i > 0, probability: 0.4 + 0.1 * i, loss: 1 / (i + 1) },
        i === steps.length - 1
          ? { said: 'science', right: false, probability: 0.55, loss: 0.9 }
          : { said: 'math', right: true, probability: 0.6, loss: 0.5 },
      ],
    }));
    writeFileSync(
      runPaths(this.folder).samples,
      JSON.stringify({ version: 1, answer: 'label', rows, evaluations }),
    );
  }

  /** Pictures of each prompt before training and at some steps: the later, the more of a bright square they show. */
  async pictures(steps: readonly number[], { side = 64, prompts = PROMPTS } = {}): Promise<void> {
    const { pictures } = runPaths(this.folder);
    mkdirSync(pictures, { recursive: true });
    const draw = async (name: string, share: number) => {
      const files = prompts.map((_, i) => `${name}-${i}.png`);
      for (const [i, file] of files.entries())
        if (!existsSync(join(pictures, file))) await squarePicture(join(pictures, file), side, share, i);
      return files;
    };
    const base = await draw('base', 0.1);
    const evaluations: RunPictures['evaluations'] = [];
    for (const step of steps)
      evaluations.push({ step, files: await draw(stepName(step), 0.1 + (0.8 * step) / this.steps) });
    const index: RunPictures = {
      version: 1,
      ...{ width: side, height: side, sampler: 'ddim', steps: 25, guidance: 7.5 },
      prompts: prompts.map((text, seed) => ({ text, seed })),
      base,
      evaluations,
    };
    writeFileSync(picturesIndex(this.folder), JSON.stringify(index));
  }

  checkpoint(step: number): void {
    mkdirSync(join(runPaths(this.folder).checkpoints, stepName(step)), { recursive: true });
    this.event({ kind: 'checkpoint', step, path: `checkpoints/${stepName(step)}` });
  }
}

export interface Watched extends Opened {
  feed: RunFeed;
  /** All messages from the host, in order. */
  messages: RunToPage[];
  /** Resolves once the feed's messages so far have arrived and been drawn. */
  settled(): Promise<void>;
  /** Hides the tab as in VS Code, which destroys the page. */
  hide(): Promise<void>;
  /** Creates a new page with the saved state of the old one. */
  show(): Promise<void>;
  stop(): Promise<void>;
}

/** The built page, fed by the host's own reader of the given folders. */
export async function watch(
  folders: string[],
  options: { theme?: Theme; width?: number; height?: number; state?: unknown } = {},
): Promise<Watched> {
  const opened = await openPanel('run', options);
  const messages: RunToPage[] = [];
  let sending = Promise.resolve();
  const post = (message: RunToPage) => {
    messages.push(message);
    sending = sending.then(() => send(opened, message));
  };
  const feed = new RunFeed(folders, post, undefined, undefined, address);
  await opened.send({ type: 'init', open: { runs: folders }, l10n: {} });
  feed.snapshot();
  while (messages.length === 0) await new Promise((r) => setTimeout(r, 20));
  const settled = async () => {
    await sending;
    // The page's timers fire in order: this one comes after those that redraw, however slow the machine is.
    await opened.page.evaluate(async () => {
      await new Promise((done) => setTimeout(done, 250));
      for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
    });
  };
  await settled();
  return {
    ...opened,
    feed,
    messages,
    settled,
    async hide() {
      feed.hide();
      await sending;
      const kept = await opened.state();
      await opened.page.addInitScript((state) => acquireVsCodeApi().setState(state), kept);
    },
    async show() {
      await opened.page.reload();
      await opened.send({ type: 'init', open: { runs: folders }, l10n: {} });
      feed.snapshot();
      await opened.page.waitForSelector('aurora-chart');
      await settled();
    },
    stop: async () => {
      feed.dispose();
      await sending.catch(() => undefined);
      await opened.close();
    },
  };
}

/** Playwright transfers typed arrays as text, which is slow for long ones, so they are sent as bytes. */
export async function send({ page }: Opened, message: RunToPage): Promise<void> {
  const bytes: string[] = [];
  const bare = JSON.stringify(message, (_, value) => {
    if (!(value instanceof Float64Array)) return value;
    bytes.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
    return { bytes: bytes.length - 1 };
  });
  await page.evaluate(
    ([text, parts]) => {
      const whole = JSON.parse(text, (_, value) => {
        if (typeof value?.bytes !== 'number') return value;
        const binary = atob(parts[value.bytes]);
        const data = new Uint8Array(binary.length);
        for (let i = 0; i < binary.length; i++) data[i] = binary.charCodeAt(i);
        return new Float64Array(data.buffer);
      });
      window.postMessage(whole, '*');
    },
    [bare, bytes] as const,
  );
}

/** A run of 900 steps that has reached `step`, with evaluations and checkpoints every hundred steps. */
export function trained(name: string, step: number, state = 'running', salt = 0): RunFolder {
  const run = new RunFolder(name, 900);
  run.start();
  run.append(1, step, salt);
  for (let s = 100; s <= step; s += 100) {
    run.evaluate(s, salt);
    run.checkpoint(s);
  }
  run.status(state, step);
  return run;
}

/** The number of pixels on a chart's canvas that have about this color. */
export const pixelsOf = ({ page }: Watched, chart: string, variable: string): Promise<number> =>
  page.locator(`[data-chart=${chart}] canvas`).evaluate((canvas, name) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
    const probe = document.createElement('canvas').getContext('2d')!;
    probe.fillStyle = getComputedStyle(document.body).getPropertyValue(name);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
      if (
        data[i + 3] > 200 &&
        Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12
      )
        count++;
    return count;
  }, variable);

/** Opens pages as `watch` does, and closes them after each test. Call it at the top of a file. */
export function watching(): typeof watch {
  let open: Watched[] = [];
  afterEach(async () => {
    for (const w of open) await w.stop();
    open = [];
  });
  afterAll(closePages);
  return async (...args) => {
    const watched = await watch(...args);
    open.push(watched);
    return watched;
  };
}
