import { describe, expect, it } from 'vitest';
import { RunFolder, watching } from './run-fixture';

const show = watching();

describe('the run page', () => {
  it('shows the metrics that a run has, percentages as such', async () => {
    const training = { batchSize: 8, gradientAccumulation: 1, metric: 'entityF1', epochs: 4 };
    const run = new RunFolder('spans', 40, { training });
    run.start();
    run.append(1, 40);
    for (const step of [20, 40])
      run.event({
        kind: 'evaluation',
        ...{ step, epoch: step / 10, best: true, seconds: 0.5 },
        metrics: { loss: 0.4, entityF1: 0.6 + step / 900, tagAccuracy: 0.95, examples: 24 },
      });
    const w = await show([run.folder]);
    await w.settled();
    const charts = await w.page
      .locator('aurora-chart')
      .evaluateAll((all) => all.map((c) => (c as HTMLElement).dataset.chart));
    expect(charts.slice(0, 3)).toEqual(['loss', 'entityF1', 'tagAccuracy']);
    expect(charts).not.toContain('accuracy');
    expect(await w.page.locator('[data-chart=entityF1] .value').innerText()).toBe('64.4%');
    expect(await w.page.locator('[data-chart=entityF1] [role=img]').getAttribute('aria-label')).toContain(
      'last 64.4%, between 62.2% and 64.4%',
    );
    expect(await w.page.locator('.run-header .numbers').innerText()).toMatch(
      /Best entity F1\s+64\.4% at step 40/,
    );
    const heads = await w.page.locator('[data-table=metrics] th[title]').allInnerTexts();
    expect(heads).toEqual(['Loss', 'Entity F1', 'Tag accuracy']);
    // For images, tokens per second would equal samples per second.
    expect(charts).toContain('tokensPerSecond');
    const images = new RunFolder('images', 40, {
      training,
      task: { type: 'image-classification' },
      data: {},
    });
    images.start();
    images.append(1, 40);
    const pictures = await show([images.folder]);
    await pictures.settled();
    expect(await pictures.page.locator('[data-chart=samplesPerSecond]').count()).toBe(1);
    expect(await pictures.page.locator('[data-chart=tokensPerSecond]').count()).toBe(0);
    // Beside a run of another kind, each has a dash for the metrics of the other.
    const other = new RunFolder('labels', 40);
    other.start();
    other.append(1, 40);
    other.evaluate(40);
    const both = await show([run.folder, other.folder]);
    await both.settled();
    const cells = await both.page
      .locator('[data-table=metrics] tbody tr')
      .last()
      .locator('td')
      .allInnerTexts();
    expect(cells.slice(2)).toEqual(['0.3500', '90.0%', '87.0%', '0.750', '–', '–']);
    expect(await both.page.locator('[data-chart=entityF1] .value').allInnerTexts()).toEqual(['64.4%', '–']);
    await both.screenshot('run-kinds');
  });

  it('draws F1 and macro F1 of several labels once, and explains a label that the data lack', async () => {
    const run = (name: string, labels: string[], metric = 'accuracy') => {
      const made = new RunFolder(name, 40, {
        training: { batchSize: 8, gradientAccumulation: 1, metric, epochs: 4 },
      });
      made.event({
        ...{
          kind: 'started',
          pid: 1,
          steps: 40,
          epochs: 4,
          trainExamples: 80,
          validationExamples: 24,
          labels,
        },
        ...{ modules: ['layer.0.query'], trainable: 592, trainableHead: 66 },
      });
      made.append(1, 40);
      for (const [step, macroF1] of [
        [20, 0.88],
        [40, 0.74],
      ])
        made.event({
          kind: 'evaluation',
          ...{ step, epoch: step / 10, best: step === 20, seconds: 0.5 },
          metrics: {
            ...{ loss: 0.4, accuracy: 0.9, f1: labels.length > 2 ? macroF1 : 0.9, macroF1, examples: 24 },
            ...(step === 40 && {
              absentLabels: { labels: [{ label: 'tail', predicted: 1 }], macroF1: 0.88 },
            }),
          },
        });
      return made;
    };
    const charts = async (w: Awaited<ReturnType<typeof show>>) => {
      await w.settled();
      const all = w.page.locator('aurora-chart');
      return all.evaluateAll((found) =>
        found.map((c) => (c as HTMLElement).dataset.chart).filter((key) => /f1$/i.test(key!)),
      );
    };
    const three = await show([run('three', ['a', 'b', 'tail']).folder]);
    expect(await charts(three)).toEqual(['macroF1']);
    expect(await three.page.locator('[data-chart=macroF1] .chart-note').innerText()).toBe(
      'Step 40: No example has the label "tail", which was predicted once. Its F1 is 0, which makes macro F1, the mean over labels, 74.0% instead of 88.0%.',
    );
    expect(await three.page.locator('.chart-note').count()).toBe(1);
    const wanted = await show([run('wanted', ['a', 'b', 'tail'], 'f1').folder]);
    expect(await charts(wanted)).toEqual(['f1']);
    expect(await wanted.page.locator('[data-chart=f1] h3').innerText()).toBe('Validation F1 (macro)');
    expect(await wanted.page.locator('[data-chart=f1] .chart-note').count()).toBe(1);
    expect(await charts(await show([run('two', ['a', 'tail']).folder]))).toEqual(['f1', 'macroF1']);
  });

  it('shows correlations and errors of numbers, of which the smallest error is best', async () => {
    const training = { batchSize: 8, gradientAccumulation: 1, metric: 'rmse', epochs: 4 };
    const run = new RunFolder('numbers', 40, { training });
    run.start();
    run.append(1, 40);
    for (const [i, step] of [10, 20, 30, 40].entries())
      run.event({
        kind: 'evaluation',
        ...{ step, epoch: step / 10, best: i < 3, seconds: 0.5 },
        metrics: {
          loss: 0.4,
          pearson: [0.999, 0.9995, 0.9999, 0.9999][i],
          spearman: [-0.98, 0.2, 0.8, 0.85][i],
          rmse: [1.5, 0.02, 0.001, 0.05][i],
          examples: 24,
        },
      });
    const w = await show([run.folder]);
    await w.settled();
    const words = async (metric: string) =>
      w.page.locator(`[data-chart=${metric}] [role=img]`).getAttribute('aria-label');
    expect(await w.page.locator('[data-chart=pearson] .value').innerText()).toBe('1.000');
    expect(await words('spearman')).toContain('last 0.850, between -0.980 and 0.850');
    expect(await words('rmse')).toContain('last 0.0500, between 0.0010 and 1.5000');
    expect(await w.page.locator('.run-header .numbers').innerText()).toMatch(
      /Best RMSE\s+0\.0010 at step 30/,
    );
    await w.screenshot('run-numbers');
  });

  it('shows what the best adapter scored on the sets that training did not see', async () => {
    const data = { evaluations: { boolq: { path: 'boolq.json' }, piqa: { path: 'piqa.json' } } };
    const run = new RunFolder('scored', 40, { data });
    run.start();
    run.append(1, 40);
    run.evaluate(20);
    run.evaluate(40);
    const metrics = { loss: 0.5, accuracy: 0.25, f1: 0.5, matthews: 0.125, examples: 24 };
    const score = (fields: object) =>
      run.event({ kind: 'test-evaluation', step: 20, seconds: 0.1, metrics, ...fields });
    score({});
    score({ set: 'boolq' });
    const w = await show([run.folder]);
    await w.settled();
    const rows = () =>
      w.page
        .locator('[data-table=metrics] tbody tr')
        .evaluateAll((all) =>
          all.map((row) => [...row.querySelectorAll('td')].slice(0, 6).map((cell) => cell.innerText)),
        );
    const scored = ['20', '0.5000', '25.0%', '50.0%', '0.125'];
    // Without a mean until every set has its score.
    expect((await rows()).slice(2)).toEqual([
      ['test', ...scored],
      ['boolq', ...scored],
    ]);
    score({ set: 'piqa', metrics: { ...metrics, accuracy: 0.75 } });
    await expect.poll(async () => (await rows()).length).toBe(6);
    expect((await rows()).slice(4)).toEqual([
      ['piqa', '20', '0.5000', '75.0%', '50.0%', '0.125'],
      ['mean of 2 sets', '20', '0.5000', '50.0%', '50.0%', '0.125'],
    ]);
    expect(await w.page.locator('[data-table=metrics] th[scope=rowgroup]').getAttribute('rowspan')).toBe('6');
    await w.screenshot('run-scores');
  });
});
