import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { suggestionsAt } from '../../../../src/extension/language/suggestions';
import { analysisOf, apply, covered, makeFolder } from './lab';

const PIPELINE = resolve('test/fixtures/diffusers/sd');
const IMAGE = Uint8Array.of(0);

const folder = () =>
  makeFolder({
    'dog/1.png': IMAGE,
    'class/1.png': IMAGE,
    'sd/model_index.json': '{}',
    'captions.jsonl': '{"image":"dog/1.png","text":"a dog"}\n',
    'paths.jsonl': '{"image":"dog/1.png"}\n',
  });
const text = (data: object, task: object = { instancePrompt: 'a photo of sks dog' }, model = PIPELINE) =>
  JSON.stringify({
    model: { path: model },
    task: { type: 'subject-generation', ...task },
    data,
    adapter: { method: 'aurora', rank: 1 },
  });
const codes = async (written: string, at = folder()) =>
  (await analysisOf(at, written)).findings.map((f) => f.code);

describe('an experiment on pictures', () => {
  it('has no problem with a pipeline, folders of images, and no tokenizer beside it', async () => {
    const { findings, model, layers } = await analysisOf(folder(), text({ train: 'dog' }));
    expect(findings).toEqual([]);
    expect(model.state).toBe('known');
    expect(layers.some((l) => l.path.endsWith('attn2.to_k'))).toBe(true);
    const classes = { classPrompt: 'a photo of a dog', instancePrompt: 'a photo of sks dog' };
    expect(await codes(text({ train: 'dog', classImages: 'class' }, classes))).toEqual([]);
  });

  it('names a folder of class images that is missing, and class images without a prompt', async () => {
    const missing = text(
      { train: 'dog', classImages: 'klass' },
      { classPrompt: 'a dog', instancePrompt: 'x' },
    );
    expect(await codes(missing)).toEqual(['file-missing']);
    const { findings } = await analysisOf(folder(), text({ train: 'dog', classImages: 'class' }));
    expect(findings.map((f) => f.message).join()).toMatch(/task\.classPrompt is missing/i);
  });

  it('needs a column of captions only without a prompt of all images', async () => {
    expect(await codes(text({ train: 'captions.jsonl' }, {}))).toEqual([]);
    expect(await codes(text({ train: 'paths.jsonl' }))).toEqual([]);
    expect(await codes(text({ train: 'paths.jsonl' }, {}))).toEqual(['column-missing']);
  });

  it('is offered pipelines by their folders, and the nearest one for a misspelt path', async () => {
    const at = folder();
    const known = [`${at}/sd/model_index.json`];
    const written = text({ train: 'dog' }, undefined, 'sb');
    const analysis = await analysisOf(at, written, known);
    const offset = written.indexOf('"sb"') + 1;
    expect(suggestionsAt(analysis, offset, known)?.suggestions).toEqual([
      { kind: 'file', value: 'sd', detail: 'pipeline folder' },
    ]);
    const [missing] = analysis.findings;
    expect([missing!.code, covered(written, missing!)]).toEqual(['file-missing', '"sb"']);
    expect(apply(written, missing!.fixes[0]!)).toContain('"path":"sd"');
  });
});
