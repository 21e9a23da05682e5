import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runPaths } from '../../src/runs/layout';
import { RunFolder, trained, watching } from './run-fixture';

const show = watching();

describe('the messages of the page', () => {
  it("show a fork's origin, a failure and a hint, and ignore unknown kinds", async () => {
    const run = new RunFolder('child', 900);
    const changed = [{ key: 'training.learningRate', from: 0.001, to: 0.0005 }];
    run.event({ kind: 'forked', fromRun: 'parent-run', fromStep: 100, changed });
    run.start();
    run.append(1, 130);
    run.event({ kind: 'hologram', step: 3 });
    run.event({
      kind: 'failed',
      step: 130,
      error: 'diverged',
      message: 'The loss is NaN.',
      hint: 'Lower the rate.',
    });
    run.status('failed', 130);
    const w = await show([run.folder]);
    const text = await w.page.locator('.run-header').innerText();
    expect(text).toContain('Forked from parent-run at step 100');
    expect(text).toContain('training.learningRate: 0.001 → 0.0005');
    expect(text).toContain('The loss is NaN.');
    expect(text).toContain('Lower the rate.');
    expect(await w.page.getByRole('alert').count()).toBe(1);
    expect(await w.page.locator('[data-action=resume]').count()).toBe(1);
    expect(await w.complaints()).toEqual([]);
  });

  it('offer to run a run again that failed before its first step, and no page that would be empty', async () => {
    const run = new RunFolder('no-image', 40);
    const message = 'The image cats/1.jpg does not exist.';
    run.event({ kind: 'failed', step: 0, error: 'data', message, hint: 'Restore the image.' });
    run.status('failed', 0);
    const w = await show([run.folder]);
    await w.page.locator('[data-action=again]').click();
    expect((await w.sent()).at(-1)).toEqual({ type: 'action', action: 'again', run: run.folder });
    for (const action of ['resume', 'errors', 'activations', 'export'])
      expect(await w.page.locator(`[data-action=${action}]`).count(), action).toBe(0);
    expect(await w.complaints()).toEqual([]);
  });

  it('show what was combined', async () => {
    const run = new RunFolder('combined', 40, {});
    const adapters = [
      { name: 'first', weight: 1, step: 40, fitted: true as const },
      { name: 'second', weight: -0.5, step: 20 },
    ];
    const combination = { combination: 'ties', adapters, density: 0.5 } as const;
    run.event({ kind: 'imported', adapter: 'first, second', peftType: 'LORA', combination });
    run.start();
    run.evaluate(0);
    run.status('stopped', 0);
    const w = await show([run.folder]);
    const header = w.page.locator('.run-header');
    expect(await header.innerText()).toContain(
      'Combined by ties (density 0.5) of first, fitted, × 1, second × -0.5.',
    );
    expect(await header.locator('.state').innerText()).toBe('Combined');
    expect(await w.complaints()).toEqual([]);
  });

  it('show what was imported, and that the last epochs train the merged form', async () => {
    const training = {
      batchSize: 8,
      gradientAccumulation: 1,
      metric: 'accuracy',
      epochs: 4,
      staticEpochs: 1,
    };
    const run = new RunFolder('imported', 40, { training });
    run.event({ kind: 'imported', adapter: 'from-a-friend', peftType: 'LORA' });
    run.start();
    run.evaluate(0);
    run.status('stopped', 0);
    const w = await show([run.folder]);
    const header = w.page.locator('.run-header');
    expect(await header.innerText()).toContain('Imported from from-a-friend (LORA).');
    expect(await header.locator('.state').innerText()).toBe('Imported');
    await w.page.getByText('This adapter has not been trained here yet.').waitFor();
    expect(await w.page.locator('[data-table=metrics]').innerText()).toContain('0.75');
    await w.screenshot('run-imported');
    expect(await header.locator('[data-fact=static]').innerText()).toBe(
      'The last epoch trains the static form, which can be merged without loss.',
    );
    // There is nothing on disk to export.
    expect(await header.locator('[data-action=export]').count()).toBe(0);
    expect(await header.locator('[data-action=resume]').count()).toBe(1);
    expect(await w.complaints()).toEqual([]);
  });

  it("show a run's device and the reason, and only the device for two runs", async () => {
    const runs = ['webgpu', 'cpu'].map((device) => {
      const run = new RunFolder(`on-${device}`, 90);
      run.start();
      const tried = [
        { engine: 'onnxruntime', device: 'cpu', secondsPerStep: 0.5 },
        { engine: 'onnxruntime', device: 'webgpu', problem: 'the driver crashed' },
        { engine: 'onnxruntime', device: 'cuda', problem: 'no NVIDIA card', missing: true },
      ];
      run.event({ kind: 'device', step: 0, engine: 'onnxruntime', device: 'cpu', reason: 'only', tried: [] });
      run.event({ kind: 'device', step: 0, engine: 'onnxruntime', device, reason: 'fastest', tried });
      return run.folder;
    });
    const one = await show([runs[0]]);
    expect(await one.page.locator('[data-fact=device]').innerText()).toBe(
      'Device: ONNX Runtime on webgpu, the fastest on this machine (cpu: 0.50 s/step; webgpu: the driver crashed).',
    );
    const two = await show(runs);
    expect(await two.page.locator('[data-fact=device]').allInnerTexts()).toEqual([
      'Device: ONNX Runtime on webgpu, the fastest on this machine.',
      'Device: ONNX Runtime on cpu, the fastest on this machine.',
    ]);
    expect(await two.complaints()).toEqual([]);
  });

  it('show that a run is being prepared, is damaged or is gone', async () => {
    const fresh = new RunFolder('fresh', 900);
    const w = await show([fresh.folder]);
    expect(await w.page.locator('.empty').innerText()).toContain('Preparing…');
    writeFileSync(runPaths(fresh.folder).events, 'no journal\n');
    await w.page.locator('.state-damaged').waitFor();
    expect(await w.page.getByRole('alert').innerText()).toContain('events.jsonl:1 is not event 0');
    rmSync(fresh.folder, { recursive: true });
    await w.page.locator('.state-gone').waitFor();
    expect(await w.page.getByRole('alert').innerText()).toContain('is gone');
    expect(await w.complaints()).toEqual([]);
  });

  it('tell a screen reader how the loss changes, politely and rarely', async () => {
    const run = trained('speech', 300);
    const w = await show([run.folder]);
    const live = w.page.locator('[data-live]');
    const said = await live.innerText();
    expect(said).toMatch(/^Loss 0\.\d+ at step 300 of 900, falling\. Validation loss 0\.6167\.$/);
    run.append(301, 320);
    await w.page.waitForTimeout(800);
    expect(await live.innerText()).toBe(said);
    expect(
      await w.page.locator('[data-chart=learningRate] .chart-host').getAttribute('aria-label'),
    ).toContain('between');
  });

  it('show the differing settings and the environment', async () => {
    const a = new RunFolder('a', 90, { adapter: { method: 'aurora', rank: 2, alpha: 4 } });
    const b = new RunFolder('b', 90, { adapter: { method: 'lora', rank: 2, alpha: 4 } });
    for (const run of [a, b]) {
      run.start();
      run.append(1, 90);
      run.evaluate(90);
      run.status('finished', 90);
      const result = { steps: 90, environment: { node: '24.1.0', threads: 2, cpu: 'A processor' } };
      appendFileSync(runPaths(run.folder).result, JSON.stringify(result));
    }
    const w = await show([a.folder, b.folder]);
    const keys = await w.page.locator('table[data-table=settings] tbody th').allInnerTexts();
    expect(keys.filter((key) => !key.startsWith('adapter.'))).toEqual(['name']);
    expect(keys).toContain('adapter.method');
    expect(await w.page.locator('table[data-table=environment]').innerText()).toContain('24.1.0');
  });
});
