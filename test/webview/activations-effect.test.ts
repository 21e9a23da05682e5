import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { AuroraError } from '../../src/base/errors';
import type { AdapterSpec } from '../../src/experiment/methods';
import { decodeSnapshot } from '../../src/protocol/activations';
import type { RunEvent } from '../../src/protocol/events';
import type { Nonlinearity } from '../../src/protocol/nonlinearity';
import type { MeasuringProgress } from '../../src/protocol/panels/activations';
import { nonlinearityFile } from '../../src/runs/nonlinearity';
import { fileSum } from '../../src/runs/predictions';
import { nonlinearityResult } from '../nonlinearity-result';
import { cards, openFirst, RUN, wire as wirePage, type Wired } from './activations-fixture';
import { closePages, LOOKS } from './harness';
import { expectSoundInAllLooks } from './sound';

let stop: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const s of stop) await s();
  stop = [];
});
afterAll(closePages);

/** A run with snapshots of steps 0, 30 and 60, of which the last is the best. */
function copied(): string {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-effect-'));
  stop.push(() => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  cpSync(join(RUN, 'activations'), join(folder, 'activations'), { recursive: true });
  writeFileSync(join(folder, 'validation.jsonl'), '{}\n');
  mkdirSync(join(folder, 'nonlinearity'));
  return folder;
}

const metrics = nonlinearityResult().trained;
const evaluated = (step: number, loss = metrics.loss): RunEvent =>
  ({
    v: 1,
    seq: step,
    t: 0,
    kind: 'evaluation',
    step,
    best: true,
    metrics: { ...metrics, loss },
  }) as RunEvent;

async function wire(run: string, options: Parameters<typeof wirePage>[1] = {}): Promise<Wired> {
  const facts = { events: [evaluated(30), evaluated(60)], ...options.facts };
  const wired = await wirePage(run, { ...options, facts });
  stop.push(() => wired.close());
  return wired;
}

const { layers } = decodeSnapshot(readFileSync(join(RUN, 'activations/step-000060.bin')));

/** Writes what `aurora nonlinearity` would; the last layer needs its σ most. */
async function measured(run: string, over: Partial<Nonlinearity> = {}): Promise<void> {
  const file = join(run, 'validation.jsonl');
  const result = nonlinearityResult({
    data: { file, sha256: (await fileSum(file))! },
    evaluation: metrics,
    layers: layers.map(({ path, rank }, i) => ({
      path,
      r2: 0.9 - i / 10,
      M: Array.from({ length: rank * rank }, (_, k) => (k % (rank + 1) === 0 ? 0.5 : 0.125)),
      c: Array.from({ length: rank }, () => -1),
      rise: { mean: 0.01 * (i + 1), error: 0.001, half: 0.002, chance: 1e-9 },
    })),
    ...over,
  });
  writeFileSync(nonlinearityFile(run, result.step), JSON.stringify(result));
}

const effect = (w: Wired) => w.page.locator('.effect');

describe('the effect of σ on the Layer activations page', () => {
  it('is measured by a button, with progress and a way to cancel, and then shown', async () => {
    const run = copied();
    const w = await wire(run);
    let told!: (progress: MeasuringProgress) => void;
    let finish!: () => void;
    w.measure = (tell) => new Promise((resolve) => ((told = tell), (finish = resolve)));
    const button = w.page.locator('[data-action="measure"]');
    await button.waitFor();
    expect(await effect(w).innerText()).toContain('at step 60, the best');
    await button.click();
    await expect.poll(() => effect(w).innerText()).toContain('Reading model and data');
    expect(await button.count()).toBe(0);
    told({ words: 'Measuring: pass 2 of 7 over 512 examples, 9 s left…', share: 1 / 7 });
    await expect.poll(() => effect(w).innerText()).toContain('pass 2 of 7');
    expect(Number(await effect(w).locator('progress').getAttribute('value'))).toBeCloseTo(1 / 7, 6);
    await w.page.locator('[data-action="cancel"]').click();
    await expect.poll(() => w.cancels).toBe(1);
    await measured(run);
    finish();
    await effect(w).locator('.verdict').waitFor();
    expect(await effect(w).locator('.verdict').innerText()).toMatch(
      /^Replacing σ by its linear fit .* 0\.03 /,
    );
    expect(await effect(w).locator('tr').allInnerTexts()).toEqual([
      expect.stringContaining('rise of the loss'),
      expect.stringContaining('as trained'),
      expect.stringMatching(/fitted\s+1\.2300\s+63\.5%\s+\+0\.03/),
      expect.stringContaining('adapters removed'),
    ]);
    expect(await button.innerText()).toBe('Measure Again');
    expect(await cards(w).last().innerText()).toContain('loss +0.04');
    expect(w.errors).toEqual([]);
  });

  it('draws the fitted line over σ where it was measured, and copies it', async () => {
    const run = copied();
    await measured(run);
    const w = await wire(run);
    await openFirst(w);
    await w.page.locator('path.curve.fitted').last().waitFor();
    expect(await w.page.locator('.large .legend').innerText()).toContain('linear fit M z + c');
    expect(await w.page.locator('.layer-effect').innerText()).toBe(
      'The linear fit explains the output of the adapter on held-out tokens with R² 0.900. Replacing σ by it in this layer alone changes the validation loss by +0.01 (standard error 0.001).',
    );
    await w.page.getByText('Copy Curves as CSV').click();
    await expect.poll(() => w.copied.length).toBe(1);
    const [head, ...rows] = w.copied[0].split('\n').map((line) => line.split(','));
    expect(head.at(-1)).toBe('linear fit');
    const points = rows.map((row) => row.map(Number));
    const [first, last] = [points[0], points.at(-1)!];
    expect((last.at(-1)! - first.at(-1)!) / (last[0] - first[0])).toBeCloseTo(0.5, 4);
    await w.page.getByText('Copy Layers as CSV').click();
    await expect.poll(() => w.copied.length).toBe(2);
    expect(w.copied[1].split('\n')[0]).toMatch(/,r2_of_fit,rise_of_loss,standard_error$/);
    expect(w.copied[1].split('\n')[1]).toMatch(/,0\.9,0\.01,0\.001$/);
    // The curves of another step have no line, and the section says where it belongs.
    await w.page.locator('.timeline input').focus();
    await w.page.keyboard.press('Home');
    await expect
      .poll(() => effect(w).innerText())
      .toContain('measured at step 60, the curves are from step 0');
    await expect.poll(() => w.page.locator('path.curve.fitted').count()).toBe(0);
    await w.page.locator('[data-action="show-step"]').click();
    await expect.poll(() => w.page.locator('.timeline output').innerText()).toContain('step 60');
    await w.page.locator('path.curve.fitted').last().waitFor();
  });

  it('sorts the layers by the rise of the loss', async () => {
    const run = copied();
    await measured(run);
    const w = await wire(run);
    await cards(w).first().waitFor();
    const order = w.page.locator('.choosers select').last();
    await w.page.locator('option[value="rise"]').waitFor({ state: 'attached' });
    await order.selectOption('rise');
    await expect.poll(() => cards(w).first().getAttribute('data-path')).toBe(layers.at(-1)!.path);
  });

  it('shows a failure and offers to measure again', async () => {
    const w = await wire(copied());
    w.measure = () =>
      Promise.reject(
        new AuroraError('inputs', 'The training data train.jsonl are missing.', 'Put them back.'),
      );
    await w.page.locator('[data-action="measure"]').click();
    await expect
      .poll(() => effect(w).locator('.error').innerText())
      .toContain('The training data train.jsonl are missing.');
    await w.page.locator('[data-action="measure"]').waitFor();
  });

  it('reports a result that is outdated, and does not draw the line of earlier values', async () => {
    const run = copied();
    await measured(run);
    const w = await wire(run, { facts: { events: [evaluated(60, 9)] } });
    await openFirst(w);
    await expect.poll(() => effect(w).locator('.notice').innerText()).toContain('trained again');
    expect(await w.page.locator('path.curve.fitted').count()).toBe(0);
    w.facts = { ...w.facts, events: [evaluated(60)] };
    writeFileSync(join(run, 'validation.jsonl'), '{"changed": true}\n');
    w.session.refresh();
    await expect
      .poll(() => effect(w).locator('.notice').innerText())
      .toContain('validation data have changed');
  });

  it('ignores a damaged result, and has no section before an evaluation or for a head alone', async () => {
    const run = copied();
    writeFileSync(nonlinearityFile(run, 60), '{"version":1}');
    const w = await wire(run);
    await w.page.locator('[data-action="measure"]').waitFor();
    w.facts = { ...w.facts, events: [] };
    w.session.refresh();
    await expect.poll(() => effect(w).count()).toBe(0);
    w.facts = { ...w.facts, events: [evaluated(60)], adapter: { method: 'none' } as AdapterSpec };
    w.session.refresh();
    await w.page.locator('.notice').waitFor();
    expect(await effect(w).count()).toBe(0);
  });

  it('has no problems in any theme and width', async () => {
    const run = copied();
    await measured(run);
    const w = await wire(run, LOOKS[0]);
    await openFirst(w);
    await w.page.locator('path.curve.fitted').last().waitFor();
    await expectSoundInAllLooks(w, 'activations-effect', 50);
  });
});
