import { cpSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openTrained } from '../../../../src/training/checkpoint/trained-run';
import { fitOf } from '../../../../src/training/fit/fit-run';
import { fittedTask } from '../../../../src/training/fit/fitted-task';
import { largestDifference, measureTask } from '../../../../src/training/measure';
import { Lab } from '../../../cli/lab';
import { png } from '../../../png';
import { trainHere } from '../train-here';

const lab = new Lab();
afterAll(() => lab.remove());
cpSync('test/fixtures/diffusers/sd', lab.path('sd'), { recursive: true });
/** A picture of one color, with a pattern. */
const image = (i: number) => png(40 + i, 36, (x, y) => [(40 * i) % 255, (x * y) % 255, 200 - 20 * i]);
for (let i = 0; i < 4; i++) lab.write(`images/${i}.png`, image(i));
for (let i = 4; i < 7; i++) lab.write(`class/${i}.png`, image(i));

describe.each([false, true])('the fit of a U-Net, with its text encoders and class images: %s', (more) => {
  it('is made on noisy latents of several epochs, since there are few pictures', async () => {
    const run = await trainHere(lab, {
      model: { path: 'sd' },
      task: {
        ...{ type: 'subject-generation', instancePrompt: 'a photo of sks dog', resolution: 32 },
        ...(more && { classPrompt: 'a photo of a dog', trainTextEncoder: true }),
      },
      data: { train: 'images', ...(more && { classImages: 'class' }) },
      adapter: { method: 'aurora', targetModules: ['to_k', 'to_out.0', 'q_proj'].slice(0, more ? 3 : 2) },
      training: { maxSteps: 2, batchSize: 4, learningRate: 0.01, evaluateEvery: 2 },
    });
    const fit = await fitOf(run, 'best', { tokens: 100 });
    const { task, parameters } = await openTrained(run, 'best', lab.folder);
    expect(fit.layers).toHaveLength(task.adapters.length);
    for (const { tokens, M, c, r2 } of fit.layers) {
      expect(tokens).toBeGreaterThanOrEqual(100);
      expect([...M, ...c, r2].every(Number.isFinite)).toBe(true);
      expect(r2).toBeLessThanOrEqual(1);
    }
    const fitted = fittedTask(task, parameters, fit, { biasOf: () => true });
    const [trained, found] = [
      await measureTask(task, parameters, lab.path('trained')),
      await measureTask(fitted.task, fitted.parameters, lab.path('fitted')),
    ];
    expect(largestDifference(trained, found)).toBeLessThan(0.1);
    expect(await fitOf(run, 'best', { tokens: 100 })).toEqual(fit);
  });
});
