import { describe, expect, test } from 'vitest';
import { suggestions } from '../../../../src/extension/hub/repository-suggestions';
import { hubHost, hubPage, pageOf } from '../../../../src/extension/hub/host';
import {
  cardRows,
  downloadRow,
  fileRows,
  foundRow,
  HubProgressText,
  namedText,
  repoLine,
  splitRow,
  verdictRows,
} from '../../../../src/extension/words/hub-text';
import type { HubModel, ModelVerdict } from '../../../../src/protocol/hub';

const NOW = Date.parse('2026-03-01T00:00:00Z');

const verdict = (available: number, more: object = {}): ModelVerdict => ({
  usable: true,
  family: 'roberta',
  parameters: 124_645_632,
  layers: 72,
  blocked: 0,
  step: {
    method: 'aurora',
    rank: 2,
    batch: 8,
    length: 128,
    memory: { program: 0, weights: 0, activations: 0, evaluation: 0, trained: 0, total: 1.4e9, available },
  },
  ...more,
});

const model: HubModel = {
  kind: 'model',
  id: 'FacebookAI/roberta-base',
  commit: 'e2da8e2f811d1448a5b465c236feacd80ffbac7b',
  task: 'fill-mask',
  licence: 'mit',
  gated: false,
  private: false,
  card: '# RoBERTa\n\n---\n\nA model with $(flame).',
  files: [{ path: 'model.safetensors', size: 499e6 }],
  size: 503e6,
  cached: 0,
  host: 'huggingface.co',
  verdict: verdict(8e9),
};

describe('a repository in a list', () => {
  test('shows what it is for, its size, license, downloads and last change', () => {
    const found = {
      kind: 'model' as const,
      id: model.id,
      task: 'fill-mask',
      licence: 'mit',
      downloads: 12_345_678,
      likes: 1,
      size: 2.5e9,
      changed: '2026-02-26T00:00:00Z',
      gated: true,
      private: false,
    };
    expect(foundRow(found, NOW, 'en')).toEqual({
      label: 'FacebookAI/roberta-base',
      description: 'fill-mask · 2.5 GB · mit · 12,345,678 downloads · changed 3 days ago · $(lock) gated',
    });
    const unknown = {
      ...found,
      task: undefined,
      licence: undefined,
      size: undefined,
      changed: 'x',
      gated: false,
    };
    expect(foundRow(unknown, NOW, 'en').description).toBe('12,345,678 downloads');
  });

  test("is one of the paper's before anything is typed", () => {
    const models = suggestions('model');
    expect(models.map(({ name }) => name)).toEqual([
      'FacebookAI/roberta-base',
      'FacebookAI/roberta-large',
      'google/vit-base-patch16-224-in21k',
      'google/vit-large-patch16-224-in21k',
      'meta-llama/Meta-Llama-3-8B',
      'stabilityai/stable-diffusion-xl-base-1.0',
    ]);
    const sets = suggestions('dataset');
    expect(sets).toHaveLength(23);
    expect(sets.filter(({ description }) => description?.includes('a test of'))).toHaveLength(8);
    expect(sets.filter(({ detail }) => detail?.startsWith('A copy: '))).toHaveLength(7);
    expect(sets.find(({ name }) => name === 'glue/rte')).toEqual({
      label: 'glue/rte',
      description: 'nyu-mll/glue · rte',
      name: 'glue/rte',
    });
  });
});

describe('the details before a download', () => {
  test('say what is downloaded, from which host, and to where', () => {
    expect(repoLine({ ...model, gated: true })).toBe('fill-mask · mit · gated · at commit e2da8e2');
    expect(downloadRow(model, '~/hub')).toEqual({
      label: '$(cloud-download) Download 503 MB',
      description: 'to ~/hub, which Python shares',
      detail: 'Contacts huggingface.co and the storage that it redirects to.',
    });
    expect(downloadRow({ ...model, cached: 3e6 }, '~/hub')).toMatchObject({
      label: '$(cloud-download) Download 500 MB',
      description: 'of 503 MB; the rest is in the cache · to ~/hub, which Python shares',
    });
    expect(downloadRow({ ...model, cached: 503e6 }, '~/hub')).toEqual({
      label: '$(check) Use',
      description: '503 MB, all of it in ~/hub',
    });
  });

  test('say whether the model can be trained, and whether it fits', () => {
    expect(verdictRows(verdict(8e9))).toEqual([
      { label: '$(check) roberta · 124,645,632 parameters · 72 modules can be adapted' },
      {
        label: '$(check) A training step takes 1.4 GB',
        description: 'batch 8 × 128 tokens, AuroRA r=2',
        detail: 'Fits the 8.0 GB of memory that are available now.',
      },
    ]);
    const [offers, step] = verdictRows(verdict(1e9, { blocked: 72 }));
    expect(offers.label).toMatch(/^\$\(warning\) .* · 72 of them without a gradient$/);
    expect(step).toMatchObject({
      label: expect.stringContaining('$(warning)') as string,
      detail: 'More than the 1.0 GB of memory that are available now.',
    });
    const none = { step: { method: 'aurora', batch: 8, problem: 'Not known.' } };
    expect(verdictRows(verdict(1e9, none))[1]).toEqual({ label: '$(warning) Not known.' });
    expect(verdictRows({ usable: false, problem: 'No.', hint: 'Do.' })).toEqual([
      { label: '$(error) Cannot be trained: No.', detail: 'Do.' },
    ]);
    expect(verdictRows({ usable: 'unknown', problem: 'Later.' })).toEqual([{ label: '$(question) Later.' }]);
  });

  test('show the lines of the card as they are, without icons from the hub, and the first files', () => {
    expect(cardRows(model)).toEqual([{ label: '# RoBERTa' }, { label: 'A model with $\u200b(flame).' }]);
    const files = Array.from({ length: 20 }, (_, i) => ({ path: `${i}`, size: 1 }));
    expect(fileRows({ ...model, files }).at(-1)).toEqual({ label: '8 more files' });
    expect(fileRows(model)).toEqual([{ label: 'model.safetensors', description: '499 MB' }]);
  });

  test('say which splits there are, and how much of them', () =>
    expect(splitRow({ name: 'train', reference: '', files: 3, size: 5e9, partial: true })).toMatchObject({
      label: 'train',
      description: '5.0 GB · 3 files',
      detail: expect.stringContaining('Only its beginning') as string,
    }));

  test('of an experiment name each repository', () =>
    expect(namedText([model, { ...model, id: 'b', cached: 500e6 }])).toEqual({
      message: 'Download 506 MB from huggingface.co?',
      detail: 'FacebookAI/roberta-base: 503 MB\nb: 3.0 MB',
    }));
});

describe('the progress of a download', () => {
  test('has bytes, the time that is left at the present speed, and what it waits for', () => {
    let now = 0;
    const text = new HubProgressText(() => now);
    expect(text.next({ kind: 'started', files: 2, done: 100e6, total: 500e6 })).toEqual({
      message: '100 MB of 500 MB',
    });
    now = 10_000;
    // Bytes from an earlier download do not count for the speed.
    expect(text.next({ kind: 'progress', path: 'a', done: 200e6, total: 500e6 })).toEqual({
      message: '200 MB of 500 MB · 30 s left',
      increment: 40,
    });
    expect(text.next({ kind: 'progress', path: 'a', done: 250e6, total: 500e6 }).increment).toBe(10);
    expect(text.next({ kind: 'retrying', path: 'a', reason: 'It was cut', seconds: 2 }).message).toBe(
      'It was cut. Trying again in 2 s.',
    );
    expect(text.next({ kind: 'waiting', path: 'a' }).message).toContain('Another program');
    expect(text.next({ kind: 'verifying', path: 'a' }).message).toBe('Checking a…');
    expect(text.next({ kind: 'file', path: 'a', size: 1, cached: true })).toEqual({});
  });
});

test('the host and its pages are those of the mirror, if the environment names one', () => {
  expect(hubHost({})).toBe('huggingface.co');
  expect(hubHost({ HF_ENDPOINT: 'http://mirror:8080/hf/' })).toBe('mirror:8080');
  expect(hubHost({ HF_ENDPOINT: 'nonsense' })).toBe('nonsense');
  expect(hubPage('a/b', { HF_ENDPOINT: 'https://mirror/' })).toBe('https://mirror/a/b');
  expect(pageOf('dataset', 'a/b')).toMatch(/\/datasets\/a\/b$/);
});

test('what a hub says shows no icons and stays on its line', () => {
  const evil = '$(check) ok\nDownload';
  const found = {
    ...model,
    kind: 'model' as const,
    task: evil,
    licence: evil,
    downloads: 1,
    likes: 1,
    size: 1,
  };
  const refused: ModelVerdict = { usable: false, problem: evil, hint: evil };
  const texts = [
    foundRow(found, NOW, 'en'),
    ...fileRows({ ...model, files: [{ path: evil, size: 1 }] }),
    ...verdictRows(refused).map((row) => ({ ...row, label: row.label.replace('$(error)', '') })),
    { label: repoLine(found) },
  ].flatMap(({ label, description = '', detail = '' }) => [label, description, detail]);
  for (const text of texts) expect(text).not.toMatch(/\$\(|\n/);
});
