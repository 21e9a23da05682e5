import { describe, expect, it } from 'vitest';
import { readScalars } from '../../src/runs/curve/scalars';
import { pixelsOf, trained, type Watched, watching } from './run-fixture';

const show = watching();

/** The tooltip's rows: label and values. */
const tipRows = ({ page }: Watched): Promise<Record<string, string>> =>
  page
    .locator('.tip tbody tr')
    .evaluateAll((all) =>
      Object.fromEntries(
        all.map((row) => [
          row.querySelector('th')!.textContent,
          [...row.querySelectorAll('td')].map((cell) => cell.textContent).join(' | '),
        ]),
      ),
    );

describe('the charts of a run', () => {
  it('share one cursor, whose tooltip has step, epoch and every value', async () => {
    const run = trained('tip', 400);
    run.resources(400);
    const w = await show([run.folder]);
    const over = w.page.locator('[data-chart=gradientNorm] .u-over');
    await over.scrollIntoViewIfNeeded();
    const box = (await over.boundingBox())!;
    await w.page.mouse.move(box.x + box.width / 2, box.y + 40);
    await w.settled();
    expect(await w.page.locator('.tip').count()).toBe(1);
    const rows = await tipRows(w);
    const step = Number(rows.Step);
    expect(Math.abs(step - 200)).toBeLessThan(5);
    expect(Number(rows.Epoch)).toBeCloseTo(step / 225, 1);
    const scalars = readScalars(run.folder);
    expect(Number(rows.Loss)).toBeCloseTo(scalars.column('loss')![step - 1], 2);
    // The evaluation nearest to the cursor says where it was.
    expect(rows['Validation accuracy']).toBe(step === 200 ? '58.9%' : '58.9% (step 200)');
    for (const label of ['Loss, smoothed', 'Gradient norm', 'Learning rate', 'Samples per second'])
      expect(rows[label]).toMatch(/^\d/);
    expect(rows['System CPU usage']).toMatch(/^\d+\.\d%$/);
    expect(rows['System memory']).toBe('6.0 GB');
    expect(Object.keys(rows)).not.toContain('GPU usage');
    await w.page.mouse.move(1, 1);
    await w.settled();
    expect(await w.page.locator('.tip').count()).toBe(0);
    // By keyboard, at the chosen step, which is also said.
    const slider = w.page.getByRole('slider', { name: 'Loss' });
    await slider.press('End');
    await w.settled();
    expect((await tipRows(w)).Step).toBe('400');
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/Step 400 · .*Validation accuracy 67\.8%/);
    await slider.press('Escape');
    await w.settled();
    expect(await w.page.locator('.tip').count()).toBe(0);
    expect(await w.complaints()).toEqual([]);
  });

  it('show events as flags that tell what happened, by mouse and by keyboard', async () => {
    const run = trained('flags', 412);
    run.event({ kind: 'warning', message: '3 texts were cut.' }, run.timeOf(250) + 50);
    run.event({ kind: 'stopped', step: 412, reason: 'requested' });
    const w = await show([run.folder]);
    const flags = w.page.locator('.flag:visible');
    const names = () => flags.evaluateAll((all) => all.map((f) => f.getAttribute('aria-label')));
    const found = await names();
    expect(found.slice(0, 3)).toEqual([
      'Step 100: checkpoint',
      'Step 200: checkpoint',
      'Step 250: warning. 3 texts were cut.',
    ]);
    expect(found.slice(3)).toEqual([
      'Step 300: checkpoint',
      '3 events. Step 400: checkpoint. Step 400: best evaluation. Step 412: stopped',
    ]);
    const boxes = await flags.evaluateAll((all) =>
      all.map((f) => f.getBoundingClientRect()).map((b) => [b.left, b.right]),
    );
    boxes.slice(1).forEach(([left], i) => expect(left).toBeGreaterThanOrEqual(boxes[i][1]));
    await flags.nth(2).hover();
    const tip = w.page.locator('.flag-tip:visible li');
    expect(await tip.allInnerTexts()).toEqual([expect.stringContaining('3 texts were cut.')]);
    await w.page.mouse.move(1, 1);
    // One stop for Tab; arrows move on.
    await flags.first().focus();
    await w.page.keyboard.press('End');
    expect(await tip.allInnerTexts()).toEqual([
      'Step 400: checkpoint',
      'Step 400: best evaluation',
      'Step 412: stopped',
    ]);
    await w.page.keyboard.press('Enter');
    await w.settled();
    const slider = w.page.getByRole('slider', { name: 'Loss' });
    expect(await slider.getAttribute('aria-valuenow')).toBe('400');
    expect(
      await flags.evaluateAll((all) => all.filter((f) => (f as HTMLElement).tabIndex === 0).length),
    ).toBe(1);
    expect(await w.complaints()).toEqual([]);
    expect(await w.accessibility()).toEqual([]);
    // Charts for which a narrower page has no room are gone.
    await w.look({ theme: 'dark', width: 320 });
    await expect
      .poll(() => w.page.evaluate(() => document.documentElement.scrollWidth))
      .toBeLessThanOrEqual(320);
  });

  it('draw training and validation in different shades, and smooth as suits the length', async () => {
    const w = await show([trained('shades', 412).folder]);
    expect(await pixelsOf(w, 'loss', '--series-blue')).toBeGreaterThan(100);
    expect(await pixelsOf(w, 'loss', '--series-blue-shade')).toBeGreaterThan(20);
    expect(await pixelsOf(w, 'accuracy', '--series-blue')).toBe(0);
    expect(await w.page.locator('[data-control=smoothing] + *, output').first().innerText()).toBe(
      'auto (0.9)',
    );
    expect(await w.page.locator('.line-key').innerText()).toMatch(
      /training, each step.*training, smoothed.*validation/s,
    );
    expect(await w.page.locator('.run-header .numbers').innerText()).toMatch(
      /Validation loss\s+0\.5722\s+Training loss, smoothed\s+0\.\d{4}/,
    );
    const slider = w.page.locator('[data-control=smoothing]');
    await slider.focus();
    await w.page.keyboard.press('ArrowRight');
    await w.settled();
    expect(await w.page.locator('output').first().innerText()).toBe('off');
    await w.page.keyboard.press('Home');
    await w.settled();
    expect(await w.page.locator('output').first().innerText()).toBe('auto (0.9)');
    const few = await show([trained('few', 20).folder]);
    expect(await few.page.locator('output').first().innerText()).toBe('auto (off)');
    expect(await few.page.locator('.run-header .numbers').innerText()).toMatch(/Training loss\s+0\.\d+/);
  });

  it('are saved as PNG, SVG and CSV, from the menu of each and by keyboard', async () => {
    const run = trained('saved', 300);
    const w = await show([run.folder, trained('other', 250, 'stopped', 1).folder]);
    const save = async (chart: string, format: string) => {
      await w.page.locator(`[data-chart=${chart}] .chart-menu`).focus();
      await w.page.keyboard.press('Enter');
      const item = w.page.locator(`[data-save=${format}]`);
      await item.waitFor();
      while (!(await item.evaluate((e) => e === document.activeElement)))
        await w.page.keyboard.press('ArrowDown');
      await w.page.keyboard.press('Enter');
      await expect.poll(async () => (await w.sent()).at(-1)?.type).toBe('saveChart');
      const message = (await w.sent()).at(-1)! as unknown as { chart: string; format: string; data: string };
      expect(message).toMatchObject({ run: run.folder, chart, format });
      await w.page.evaluate(
        () => ((window as unknown as { harness: { sent: unknown[] } }).harness.sent.length = 0),
      );
      return message.data;
    };
    const csv = (await save('loss', 'csv')).split('\r\n');
    expect(csv[0]).toBe('run,step,epoch,loss,validation loss');
    const losses = readScalars(run.folder).column('loss')!;
    expect(csv[100]).toBe(`saved,100,${100 / 225},${losses[99]},${0.75 - 0.4 * (100 / 900)}`);
    expect(csv[101]).toBe(`saved,101,${101 / 225},${losses[100]},`);
    expect(csv).toHaveLength(1 + 300 + 250 + 1);

    const svg = await save('loss', 'svg');
    const parsed = await w.page.evaluate((text) => {
      const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
      return {
        root: root.tagName,
        texts: [...root.querySelectorAll('text')].map((e) => e.textContent),
        references: [...root.querySelectorAll('*')].flatMap((e) =>
          [...e.attributes].map((a) => a.value).filter((v) => /var\(|https?:|data:/.test(v)),
        ),
      };
    }, svg);
    expect(parsed.root).toBe('svg');
    expect(parsed.references).toEqual([]);
    for (const text of ['Loss', 'saved, smoothed', 'other, validation', 'Step', '100'])
      expect(parsed.texts).toContain(text);

    const png = await save('accuracy', 'png');
    const size = await w.page.evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }, png);
    expect(size).toEqual([1680, 840]);
    await w.send({ type: 'saved', name: 'saved loss.png' });
    await w.page.getByText('Saved saved loss.png.').waitFor();
    // The focus is where it was, for the next one.
    expect(await w.page.evaluate(() => document.activeElement?.className)).toBe('chart-menu');
    expect(await w.complaints()).toEqual([]);
  });

  it('show what the machine was used for, and the GPU only where there is one', async () => {
    const run = trained('resources', 400);
    const w = await show([run.folder]);
    const shown = () =>
      w.page.locator('aurora-chart').evaluateAll((all) => all.map((c) => (c as HTMLElement).dataset.chart));
    expect(await shown()).not.toContain('machineCpu');
    run.resources(200);
    await expect.poll(shown).toContain('machineCpu');
    expect(await shown()).toEqual(expect.arrayContaining(['processCpu', 'machineMemory']));
    expect(await shown()).not.toContain('gpu');
    run.resources(400, 0.8);
    await expect.poll(shown).toEqual(expect.arrayContaining(['gpu', 'gpuMemory']));
    expect(await w.page.locator('[data-chart=gpu] .value').innerText()).toBe('80.0%');
    expect(await w.page.locator('[data-chart=gpuMemory] .value').innerText()).toBe('6.4 GB');
    expect(await w.complaints()).toEqual([]);
  });
});

describe('the samples of a run', () => {
  it.each(['dark', 'hc-light'] as const)(
    'show what was predicted over time, and what went from right to wrong, in %s',
    async (theme) => {
      const run = trained('samples', 412);
      run.samples([100, 200, 300, 400]);
      run.resources(412, 0.6);
      const w = await show([run.folder], { theme, width: theme === 'dark' ? 320 : 1000 });
      const section = w.page.locator('[data-section=samples]');
      expect(await section.locator('p').allInnerTexts()).toEqual([
        'Predictions for the same 2 validation rows at each evaluation.',
        '1 of 2 are right at step 400. 1 went from right to wrong.',
      ]);
      const cells = await section
        .locator('tbody tr')
        .evaluateAll((all) =>
          all.map((row) =>
            [...row.children].map((c) => (c as HTMLElement).innerText.replace(/\s+/g, ' ').trim()),
          ),
        );
      expect(cells[0].slice(0, 3)).toEqual([
        'A small web server, written in Rust',
        'net',
        '✗ wrong: web · 40%',
      ]);
      expect(cells[0].at(-1)).toBe('✓ right: net · 70%');
      expect(cells[1].slice(-2)).toEqual(['✓ right: math · 60%', '✗ wrong: science · 55% previously right']);
      expect(await section.locator('td.turned').count()).toBe(1);
      // A resume that goes back takes its evaluations with it.
      run.samples([100, 200]);
      await expect.poll(() => section.locator('thead th').count()).toBe(4);
      run.samples([100, 200, 300, 400]);
      await expect.poll(() => section.locator('thead th').count()).toBe(6);
      expect(await w.complaints()).toEqual([]);
      expect(await w.accessibility()).toEqual([]);
      const overflow = () => document.documentElement.scrollWidth - innerWidth;
      expect(await w.page.evaluate(overflow)).toBeLessThanOrEqual(0);
      await w.screenshot(`run-samples-${theme}`);
    },
  );
});
