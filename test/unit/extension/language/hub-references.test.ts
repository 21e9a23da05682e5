import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hoverAt } from '../../../../src/extension/language/hover-text';
import { suggestionsAt } from '../../../../src/extension/language/suggestions';
import { analysisOf, CSV, covered, makeFolder } from './lab';

const C = '0123456789abcdef0123456789abcdef01234567';
const MODEL = `hf://org/bert@${C}`;
const TRAIN = `hf://datasets/org/texts@${C}/data/train.csv`;
afterEach(() => vi.unstubAllEnvs());

/** A folder with a cache of the hub, with or without the model and the data. */
function lab({ model = true, data = true } = {}): string {
  const at = `hub/datasets--org--texts/snapshots/${C}/data/train.csv`;
  const folder = makeFolder({ 'own.csv': CSV, ...(data && { [at]: CSV }) });
  vi.stubEnv('HF_HUB_CACHE', join(folder, 'hub'));
  if (!model) return folder;
  const snapshot = join(folder, `hub/models--org--bert/snapshots/${C}`);
  mkdirSync(dirname(snapshot), { recursive: true });
  cpSync(resolve('test/fixtures/hf/bert'), snapshot, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(resolve('test/fixtures/data/wordpiece', name), join(snapshot, name));
  return folder;
}
const experiment = (train = TRAIN) => `{
  "model": { "path": "${MODEL}", "maxLength": 16 },
  "data": { "train": "${train}", "textColumn": "text", "labelColumn": "label" },
  "adapter": { "method": "aurora", "targetModules": ["query"] }
}
`;

describe('references to the hub in the editor', () => {
  it('are no problem if they are in the cache, and the model and the columns are known', async () => {
    const text = experiment();
    const analysis = await analysisOf(lab(), text);
    expect(analysis.findings).toEqual([]);
    expect(analysis.model.state).toBe('known');
    expect(analysis.heads.train?.columns.map(({ name }) => name)).toEqual(['text', 'label']);
    expect(hoverAt(analysis, text.indexOf(MODEL))?.lines[0]).toMatch(
      /^org\/bert@0123456 on the Hugging Face hub, in the cache: .*models--org--bert/,
    );
    expect(hoverAt(analysis, text.indexOf(TRAIN))?.lines[0]).toContain('org/texts@0123456');
  });

  it('are reported at their place if they have not been downloaded, without similar files', async () => {
    const text = experiment();
    const folder = lab({ model: false, data: false });
    const analysis = await analysisOf(folder, text, [join(folder, 'own.csv')]);
    expect(analysis.findings.map((f) => [f.code, f.severity, covered(text, f), f.fixes])).toEqual([
      ['file-not-downloaded', 'error', `"${MODEL}"`, []],
      ['file-not-downloaded', 'error', `"${TRAIN}"`, []],
    ]);
    expect(analysis.findings[0].message).toBe('org/bert has not been downloaded to this machine.');
    expect(analysis.findings.map((f) => f.command?.command)).toEqual(
      Array(2).fill('aurora.downloadExperiment'),
    );
    expect(hoverAt(analysis, text.indexOf(TRAIN))?.lines).toEqual([
      'org/texts@0123456 on the Hugging Face hub, not downloaded to this machine.',
    ]);
  });

  it('with a branch are one problem, not two', async () => {
    const branch = 'hf://datasets/org/texts@main/data/train.csv';
    const text = experiment(branch);
    const { findings, problems } = await analysisOf(lab(), text);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('"main" is not a commit'),
    ]);
    expect(findings.filter(({ code }) => code.startsWith('file-'))).toEqual([]);
  });

  it('are offered for files of the cache, as other files are by their paths', async () => {
    const folder = lab();
    const text = experiment('');
    const known = [
      join(folder, `hub/datasets--org--texts/snapshots/${C}/data/train.csv`),
      join(folder, 'own.csv'),
    ];
    const analysis = await analysisOf(folder, text, known);
    const at = text.indexOf('"train": "') + '"train": "'.length;
    expect(suggestionsAt(analysis, at, known)?.suggestions.map(({ value }) => value)).toEqual([
      TRAIN,
      'own.csv',
    ]);
    expect(readFileSync(known[1], 'utf8')).toBe(CSV);
  });
});
