import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Preparing } from '../../src/protocol/preparing';
import { runPaths } from '../../src/runs/layout';
import { readScalars } from '../../src/runs/curve/scalars';
import { pixelsOf, RunFolder, send, trained, type Watched, watching } from './run-fixture';

const show = watching();

/** Every number that the page has about a run, read from its data table page by page. */
async function tableOf({ page }: Watched): Promise<number[][]> {
  if (!(await page.locator('table[data-table=data]').isVisible()))
    await page.locator('[data-control=data] summary').click();
  const button = (name: string) => page.locator('[data-control=data] vscode-button', { hasText: name });
  const disabled = (name: string) => button(name).evaluate((b) => b.hasAttribute('disabled'));
  if (!(await disabled('First'))) await button('First').click();
  const rows = new Map<number, number[]>();
  for (;;) {
    const shown = await page
      .locator('table[data-table=data] tbody')
      .evaluate((body) =>
        [...(body as HTMLTableSectionElement).rows].map((r) =>
          [...r.cells].map((c) => Number(c.textContent)),
        ),
      );
    for (const row of shown) rows.set(row[0], row);
    if (await disabled('Next')) return [...rows.values()];
    await button('Next').click();
  }
}
const onDisk = ({ folder }: RunFolder): number[][] => {
  const scalars = readScalars(folder);
  const columns = scalars.columns.map((c) => scalars.column(c)!);
  return Array.from({ length: scalars.records }, (_, i) => columns.map((c) => c[i]));
};

describe('the data of the page', () => {
  it('match the journal while the run is written, and after the page was hidden for 500 steps', async () => {
    const run = trained('live', 150);
    const w = await show([run.folder]);
    expect(await tableOf(w)).toEqual(onDisk(run));
    for (let step = 151; step <= 200; step += 10) {
      run.append(step, step + 9);
      await w.page.waitForTimeout(100);
    }
    await expect.poll(() => tableOf(w)).toEqual(onDisk(run));
    // Only new data were sent.
    const appended = w.messages.slice(1).flatMap((m) => (m.type === 'append' ? m.updates : []));
    expect(Math.min(...appended.flatMap((u) => (u.records ? [u.records.from] : [])))).toBe(150);

    await w.hide();
    const before = w.messages.length;
    run.append(201, 700);
    run.evaluate(700);
    await w.page.waitForTimeout(600);
    expect(w.messages.length).toBe(before);
    await w.show();
    expect(await tableOf(w)).toEqual(onDisk(run));
    await w.page.locator('[data-control=data] vscode-dropdown').evaluate((d) => {
      (d as HTMLInputElement).value = 'evaluations';
      d.dispatchEvent(new Event('change'));
    });
    await w.settled();
    expect((await tableOf(w)).map((row) => row[0])).toEqual([100, 700]);
    expect(await w.complaints()).toEqual([]);
  });

  it('say what is done before the first step, and how far it is', async () => {
    const run = new RunFolder('reading', 900);
    run.event({ kind: 'requested', engine: 'onnxruntime', device: 'cpu', fallBack: true });
    const preparing = (now: Preparing) => run.status('running', 0, { steps: 0, preparing: now });
    preparing({ doing: 'reading', file: 'train-*.parquet', percent: 43 });
    const w = await show([run.folder]);
    await w.page.locator('.progress', { hasText: 'Reading train-*.parquet: 43%' }).waitFor();
    preparing({ doing: 'tokenizing', file: 'train.jsonl', done: 3000, of: 8000 });
    await w.page.locator('.progress', { hasText: 'Tokenizing train.jsonl: 3,000 of 8,000 rows' }).waitFor();
    expect(await w.page.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBe(37.5);
    preparing({ doing: 'measuring', places: 'ONNX Runtime on cpu, ONNX Runtime on webgpu' });
    await w.page
      .locator('.empty', { hasText: 'Measuring ONNX Runtime on cpu, ONNX Runtime on webgpu…' })
      .waitFor();
    expect(await w.page.locator('progress').getAttribute('value')).toBe(null);
    run.start();
    run.status('running', 0);
    await w.page.locator('.progress', { hasText: 'Step 0 of 900' }).waitFor();
  });

  it('are requested again if something was lost, but only once', async () => {
    const run = trained('gap', 50);
    const w = await show([run.folder]);
    const columns = [...readScalars(run.folder).columns];
    const values = new Float64Array(columns.length).fill(99);
    const lost = { run: run.folder, records: { from: 60, columns, values } };
    await send(w, { type: 'append', now: Date.now(), updates: [lost] });
    await send(w, { type: 'append', now: Date.now(), updates: [lost] });
    await w.settled();
    expect((await w.sent()).filter((m) => m.type === 'snapshot')).toHaveLength(1);
    expect(await tableOf(w)).toEqual(onDisk(run));
  });

  it('are kept separately for each run, and messages for other runs are ignored (T7)', async () => {
    const [a, b] = [trained('one', 60), trained('two', 80, 'stopped', 1)];
    const w = await show([a.folder, b.folder]);
    const columns = [...readScalars(a.folder).columns];
    const strange = {
      run: '/elsewhere',
      records: { from: 0, columns, values: new Float64Array(columns.length) },
    };
    await send(w, { type: 'append', now: Date.now(), updates: [strange] });
    // A kind of message from a newer version (T11).
    await w.send({ type: 'hologram', run: a.folder });
    await w.settled();
    expect(await tableOf(w)).toEqual(onDisk(a));
    await w.page.locator('[aria-label="Run to show data for"]').evaluate((d) => {
      (d as HTMLInputElement).value = '1';
      d.dispatchEvent(new Event('change'));
    });
    await w.settled();
    expect(await tableOf(w)).toEqual(onDisk(b));
    expect(await w.complaints()).toEqual([]);
  });

  it('follow a resume that went back some steps', async () => {
    const run = trained('resumed', 150);
    const w = await show([run.folder]);
    const width = readScalars(run.folder).columns.length * 8;
    const bytes = 120 * width;
    truncateSync(runPaths(run.folder).scalars, bytes);
    run.event({ kind: 'resumed', fromStep: 120, pid: 2, warnings: [] }, Date.now());
    run.append(121, 140, 1);
    await expect.poll(() => tableOf(w)).toEqual(onDisk(run));
  });
});

describe('the curves', () => {
  it('of two runs differ by color and can be hidden', async () => {
    const w = await show([trained('one', 300).folder, trained('two', 400, 'stopped', 1).folder]);
    expect(await pixelsOf(w, 'loss', '--series-blue')).toBeGreaterThan(100);
    expect(await pixelsOf(w, 'loss', '--series-orange')).toBeGreaterThan(100);
    await w.page.locator('.legend-item').first().click();
    await w.settled();
    expect(await pixelsOf(w, 'loss', '--series-blue')).toBe(0);
    expect(await pixelsOf(w, 'loss', '--series-orange')).toBeGreaterThan(100);
    // It stays hidden when the page comes back.
    await w.hide();
    await w.show();
    expect(await pixelsOf(w, 'loss', '--series-blue')).toBe(0);
  });

  it('show the exact value at the pointer in all charts', async () => {
    const run = trained('hover', 200);
    const w = await show([run.folder]);
    await w.page.locator('[data-control=raw]').waitFor();
    const over = w.page.locator('[data-chart=memory] .u-over');
    await over.scrollIntoViewIfNeeded();
    const box = (await over.boundingBox())!;
    await w.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await w.settled();
    const exact = (chart: string) => w.page.locator(`[data-chart=${chart}] .value`).getAttribute('title');
    const column = (name: string) => [...readScalars(run.folder).column(name)!];
    const rate = Number(await exact('learningRate'));
    const at = column('learningRate').indexOf(rate);
    expect(at).toBeGreaterThan(80);
    expect(at).toBeLessThan(120);
    expect(Number(await exact('memory'))).toBe(column('memory')[at]);
    expect(Number((await exact('gradientNorm'))!.split(' · ')[0])).toBe(column('gradientNorm')[at]);
    expect(Number((await exact('loss'))!.split(' · ')[0])).toBe(column('loss')[at]);
  });

  it('show the values at the chosen step while records arrive, wherever the mouse is', async () => {
    const run = trained('moving', 200);
    const w = await show([run.folder]);
    const over = w.page.locator('[data-chart=loss] .u-over');
    const box = (await over.boundingBox())!;
    const slider = w.page.getByRole('slider', { name: 'Loss' });
    const shown = () =>
      w.page.evaluate(() => {
        const value = (chart: string) =>
          Number(
            document
              .querySelector(`[data-chart=${chart}] .readout .value`)!
              .getAttribute('title')!
              .split(' · ')[0],
          );
        const step = Number(
          document.querySelector('[data-chart=loss] [role=slider]')!.getAttribute('aria-valuenow'),
        );
        return { step, loss: value('loss'), gradientNorm: value('gradientNorm') };
      });
    const held = (step: number) => {
      const scalars = readScalars(run.folder);
      const row = scalars.column('step')!.indexOf(step);
      return { step, loss: scalars.column('loss')![row], gradientNorm: scalars.column('gradientNorm')![row] };
    };
    let last = 200;
    const grow = async () => {
      run.append(last + 1, (last += 50));
      await expect.poll(() => slider.getAttribute('aria-valuemax')).toBe(String(last));
      await w.settled();
    };
    for (const mouse of [
      { x: 0, y: 0 },
      { x: box.x + box.width / 3, y: box.y + 60 },
    ]) {
      await w.page.mouse.move(mouse.x, mouse.y);
      await slider.press('End');
      const chosen = last;
      for (let i = 0; i < 3; i++) {
        expect(await shown()).toEqual(held(chosen));
        await grow();
      }
    }
    // Moving the mouse takes precedence, and as the axis grows, the values under it change.
    await w.page.mouse.move(box.x + box.width / 2, box.y + 60);
    const under = async () => {
      await w.settled();
      return [...readScalars(run.folder).column('loss')!].indexOf((await shown()).loss) + 1;
    };
    expect(Math.abs((await under()) - last / 2)).toBeLessThan(5);
    await grow();
    expect(Math.abs((await under()) - last / 2)).toBeLessThan(5);
    expect(await w.complaints()).toEqual([]);
  });

  it('zoom by dragging, keep the zoom and can be reset', async () => {
    const w = await show([trained('zoom', 300).folder]);
    const box = (await w.page.locator('[data-chart=loss] .u-over').boundingBox())!;
    await w.page.mouse.move(box.x + box.width * 0.25, box.y + 50);
    await w.page.mouse.down();
    await w.page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
    await w.page.mouse.up();
    await w.settled();
    const slider = w.page.getByRole('slider', { name: 'Loss' });
    const kept = async () => ((await w.state()) as { ui?: { zoom?: [number, number] } }).ui?.zoom;
    const [low, high] = (await kept())!;
    expect(low).toBeCloseTo(1 + 299 * 0.25, -1);
    expect(high).toBeCloseTo(1 + 299 * 0.5, -1);
    await w.hide();
    await w.show();
    expect(await kept()).toEqual([low, high]);
    await slider.focus();
    await w.page.keyboard.press('-');
    expect(((await kept())![1] - (await kept())![0]) / (high - low)).toBeCloseTo(2, 5);
    const reset = w.page.locator('[data-control=reset]');
    expect(await reset.evaluate((b) => b.hasAttribute('disabled'))).toBe(false);
    await reset.click();
    await w.settled();
    expect(await reset.evaluate((b) => b.hasAttribute('disabled'))).toBe(true);
  });

  it('are drawn at most ten times a second', async () => {
    const run = trained('fast', 10);
    const w = await show([run.folder]);
    w.feed.hide();
    await w.settled();
    const columns = [...readScalars(run.folder).columns];
    const drawn = await w.page.evaluate(
      async ([folder, names]) => {
        let count = 0;
        document.querySelector('[data-chart=loss]')!.addEventListener('chart-drawn', () => count++);
        for (let i = 0; i < 100; i++) {
          const values = new Float64Array(names.length).fill(1);
          values[0] = 11 + i;
          const records = { from: 10 + i, columns: names, values };
          window.postMessage({ type: 'append', now: Date.now(), updates: [{ run: folder, records }] }, '*');
          await new Promise((r) => setTimeout(r, 20));
        }
        return count;
      },
      [run.folder, columns] as const,
    );
    expect(drawn).toBeGreaterThan(5);
    // A little over two seconds, however slow the machine is.
    expect(drawn).toBeLessThanOrEqual(30);
  });
});

describe('alarms', () => {
  it('are marked on the curve and listed in the header, and a worse result is not called finished alone', async () => {
    const run = trained('trouble', 400, 'finished');
    const at = { value: 12.3, threshold: 2.1, reference: 0.7, since: 195 };
    const before = await show([run.folder]);
    const warning = (w: Watched) => pixelsOf(w, 'loss', '--vscode-editorWarning-foreground');
    expect(await warning(before)).toBeLessThan(20);
    run.event({ kind: 'alarm', alarm: 'loss-jump', step: 200, ...at });
    const baseline = { answer: 'always "a"', metric: 'accuracy', value: 0.95 };
    const result = { outcome: 'finished', steps: 400, baseline };
    writeFileSync(runPaths(run.folder).result, JSON.stringify(result));
    const w = await show([run.folder]);
    expect(await warning(w)).toBeGreaterThan(50);
    const box = w.page.locator('[data-fact=alarms]');
    expect(await box.innerText()).toContain('Step 200: The training loss has jumped to 12.3');
    expect(await box.innerText()).toContain('worse than a constant answer (always "a": 95.0%)');
    expect(await w.page.locator('.state').first().innerText()).toBe(
      'Finished, worse than a constant answer · 1 alarm',
    );
    const numbers = await w.page.locator('.numbers').innerText();
    expect(numbers).toContain('worse than a constant answer (always "a": 95.0%), at step 400');
    expect(await w.complaints()).toEqual([]);
  });
});

describe('a run that diverged and recovered', () => {
  it('draws the diverged evaluations, marked, and names them in its badge and values', async () => {
    const run = new RunFolder('recovered', 400);
    run.start();
    run.append(1, 400);
    for (const step of [100, 200]) run.evaluate(step);
    for (let step = 210; step <= 290; step += 10)
      run.event({
        ...{ kind: 'diverged-evaluation', step, epoch: step / 100, reason: 'exploded', seconds: 0.5 },
        metrics: { loss: step / 10, accuracy: 0.5, f1: 0.3, matthews: 0, examples: 24 },
      });
    run.event({
      kind: 'alarm',
      alarm: 'loss-jump',
      step: 208,
      since: 203,
      value: 9,
      threshold: 2,
      reference: 1,
    });
    run.evaluate(400);
    run.status('finished', 400);
    const w = await show([run.folder]);
    await w.settled();
    const { page } = w;
    expect(await page.locator('.state').first().innerText()).toBe(
      'Finished · 9 evaluations diverged, 1 alarm',
    );
    type Drawn = { view: { curves: { x: Float64Array; y: Float64Array; crosses?: boolean }[] } };
    for (const [chart, values] of [
      ['loss', Array.from({ length: 9 }, (_, i) => 21 + i)],
      ['accuracy', Array<number>(9).fill(0.5)],
    ] as const) {
      const crosses = await page
        .locator(`[data-chart=${chart}]`)
        .evaluate((c) =>
          (c as unknown as Drawn).view.curves
            .filter((curve) => curve.crosses)
            .map(({ x, y }) => [[...x], [...y]]),
        );
      expect(crosses).toEqual([[Array.from({ length: 9 }, (_, i) => 210 + 10 * i), values]]);
    }
    expect(await pixelsOf(w, 'accuracy', '--vscode-editorWarning-foreground')).toBeGreaterThan(50);
    expect(await page.locator('.line-key').innerText()).toContain('diverged evaluation');
    expect(await page.locator('[data-chart=accuracy] [role=img]').getAttribute('aria-label')).toContain(
      '; 9 diverged.',
    );
    await page.locator('[data-chart=accuracy] .u-over').hover();
    const slider = page.getByRole('slider', { name: 'Loss' });
    await slider.focus();
    await page.keyboard.press('End');
    for (let i = 0; i < 11; i++) await page.keyboard.press('Shift+ArrowLeft');
    await expect
      .poll(() => slider.getAttribute('aria-valuetext'))
      .toContain('Validation accuracy 50.0%, diverged');
    expect(await w.complaints()).toEqual([]);
  });
});

describe('the actions of the page', () => {
  it('include forking by keyboard at the checkpoint before the chosen point', async () => {
    const run = trained('fork', 412);
    rmSync(join(runPaths(run.folder).checkpoints, 'step-000100'), { recursive: true });
    const w = await show([run.folder]);
    const slider = w.page.getByRole('slider', { name: 'Loss' });
    await slider.focus();
    await w.page.keyboard.press('Home');
    await expect.poll(() => slider.getAttribute('aria-valuenow')).toBe('1');
    await expect
      .poll(() => w.page.locator('[data-action=fork]').evaluate((b) => b.hasAttribute('disabled')))
      .toBe(true);
    await w.page.keyboard.press('End');
    for (let i = 0; i < 10; i++) await w.page.keyboard.press('Shift+ArrowLeft');
    await w.page.keyboard.press('ArrowLeft');
    await w.settled();
    expect(await slider.getAttribute('aria-valuenow')).toBe('311');
    expect(await slider.getAttribute('aria-valuetext')).toContain(
      `loss ${readScalars(run.folder).column('loss')![310]}`,
    );
    await w.page.keyboard.press('Enter');
    await expect
      .poll(() => w.page.evaluate(() => document.activeElement?.textContent))
      .toContain('Fork from Step 300');
    await w.page.keyboard.press('Enter');
    expect((await w.sent()).at(-1)).toEqual({ type: 'fork', run: run.folder, step: 300 });
    await slider.focus();
    for (let i = 0; i < 20; i++) await w.page.keyboard.press('Shift+ArrowLeft');
    await w.page.locator('[data-action=fork]').focus();
    await w.page.keyboard.press('Enter');
    await w.settled();
    // Before the oldest remaining checkpoint, there is nothing to fork from.
    expect(await slider.getAttribute('aria-valuenow')).toBe('111');
    expect((await w.sent()).filter((m) => m.type === 'fork')).toHaveLength(1);
    expect(await w.page.locator('#fork-from').innerText()).toContain(
      'oldest remaining checkpoint is at step 200',
    );
  });

  it("include forking from the canvas's context menu", async () => {
    const run = trained('menu', 412);
    const w = await show([run.folder]);
    const box = (await w.page.locator('[data-chart=loss] .u-over').boundingBox())!;
    await w.page.mouse.click(box.x + box.width * 0.6, box.y + 80, { button: 'right' });
    await w.page.getByRole('menuitem', { name: /Fork from Step 200/ }).click();
    expect((await w.sent()).at(-1)).toEqual({ type: 'fork', run: run.folder, step: 200 });
  });

  it('can all be reached by Tab and are sent to the host', async () => {
    const [a, b] = [trained('one', 120), trained('two', 120, 'stopped', 1)];
    const w = await show([a.folder]);
    for (const action of ['stop', 'activations', 'errors', 'export', 'log', 'settings', 'experiment']) {
      await w.page.locator(`[data-action=${action}]`).focus();
      await w.page.keyboard.press('Enter');
      expect((await w.sent()).at(-1)).toEqual({ type: 'action', action, run: a.folder });
    }
    await w.page.locator('[data-action=copy-records]').click();
    expect((await w.sent()).at(-1)).toEqual({ type: 'copyCsv', run: a.folder, table: 'records' });
    await w.send({ type: 'copied', run: a.folder, table: 'records', rows: 120 });
    await w.page.getByText('Copied 120 rows.').waitFor();
    const two = await show([a.folder, b.folder]);
    await two.page.locator('[data-action=resume]').click();
    expect((await two.sent()).at(-1)).toEqual({ type: 'action', action: 'resume', run: b.folder });
    await two.page.locator('[data-action=compare]').click();
    expect((await two.sent()).at(-1)).toEqual({ type: 'compareSettings', runs: [a.folder, b.folder] });
    // Tab passes through everything without a keyboard trap.
    await w.page.locator('h1').click();
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      await w.page.keyboard.press('Tab');
      seen.add(
        await w.page.evaluate(() => {
          const e = document.activeElement as HTMLElement;
          return e.dataset.action ?? e.dataset.control ?? e.getAttribute('role') ?? e.tagName;
        }),
      );
    }
    for (const name of [
      'stop',
      'axis',
      'smoothing',
      'log',
      'raw',
      'validation',
      'slider',
      'fork',
      'copy-records',
    ])
      expect([...seen]).toContain(name);
  });
});
