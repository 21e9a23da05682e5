import { describe, expect, it } from 'vitest';
import { METHOD_ORDER } from '../../../src/experiment/methods';
import { defaultAdapter } from '../../../src/recipes/draft';
import { epochsFor, SCRIPT_DEFAULTS, subjectAdapter, subjectText } from '../../../src/recipes/dreambooth';
import { parseExperiment } from '../../../src/runs/experiment/load';
import { resolve } from 'node:path';

const FILE = resolve('subject.aurora.json');
const draft = {
  model: resolve('test/fixtures/diffusers/sdxl'),
  images: resolve('test/fixtures/data'),
  count: 5,
  prompt: 'a photo of "sks" dog',
};
const written = (method: (typeof METHOD_ORDER)[number]) =>
  parseExperiment(FILE, subjectText(FILE, { ...draft, adapter: subjectAdapter(defaultAdapter(method)) }), []);

describe('the experiment for DreamBooth', () => {
  it.each(METHOD_ORDER)('is valid with %s', (method) => {
    expect(written(method).adapter.method).toBe(method);
  });

  it('has the paper’s rank and alpha for AuroRA, and the script’s for LoRA', () => {
    const targetModules = ['to_q', 'to_k', 'to_v', 'to_out.0'];
    expect(written('aurora').adapter).toMatchObject({ rank: 2, alpha: 4, targetModules });
    expect(written('lora').adapter).toMatchObject({ rank: 4, alpha: 4, targetModules });
  });

  it('has every default of the script', () => {
    const spec = written('aurora') as unknown as Record<string, Record<string, unknown>>;
    const found = SCRIPT_DEFAULTS.map(({ key }) => {
      const [section, name] = key.split('.');
      return [key, spec[section][name]];
    });
    expect(found).toEqual(SCRIPT_DEFAULTS.map(({ key, value }) => [key, value]));
    expect(spec.task.instancePrompt).toBe(draft.prompt);
  });

  it('has the epochs of about 500 steps of four images', () => {
    expect([1, 4, 5, 30].map(epochsFor)).toEqual([500, 500, 250, 63]);
  });

  it('says which values are the paper’s and which diffusers’', () => {
    const text = subjectText(FILE, { ...draft, adapter: subjectAdapter(defaultAdapter('aurora')) });
    expect(text).toContain('rank 2 and');
    expect(
      text.match(/Defaults of examples\/dreambooth\/train_dreambooth_lora_sdxl\.py of diffusers/g),
    ).toHaveLength(2);
  });
});
