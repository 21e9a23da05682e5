import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planModel } from '../../../../../src/cli/commands/get/model-download';
import { missingOf } from '../../../../../src/cli/commands/get/download-plan';
import { terminalText } from '../../../../../src/cli/report-text';
import { downloadParts } from '../../../../../src/protocol/reports/hub-report';
import { Hub } from '../../../../../src/hub/hub-client';
import { commitOf, smallFile } from '../../../../hub/repository';
import { scratchFolder } from '../../../../scratch';

const commit = commitOf('a commit');

it('a cached file that is too short, has other bytes, or is a link to nothing is missing', async () => {
  const cache = scratchFolder('plan');
  const folder = join(cache, 'models--a--b', 'snapshots', commit);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'whole'), '12345');
  writeFileSync(join(folder, 'short'), '123');
  writeFileSync(join(folder, 'changed'), '12346');
  symlinkSync('../../blobs/gone', join(folder, 'link'));
  const endpoint = 'http://127.0.0.1:1';
  const hub = new Hub({ endpoint, cache, offline: true, xet: true, proxies: {}, certificates: [] });
  const { gitSha1 } = smallFile('whole', '12345');
  const paths = ['whole', 'short', 'changed', 'link', 'absent'];
  const files = paths.map((path) => ({ path, size: 5, gitSha1 }));
  const repo = { kind: 'model', id: 'a/b', revision: commit, commit, gated: false, private: false } as const;
  const missing = await missingOf(hub, { ...repo, files }, paths);
  expect(missing).toEqual(['short', 'changed', 'link', 'absent']);
});

it('text from a hub cannot control the terminal', () => {
  const evil = 'x\u001b]0;title\u0007\r\nDownload? [y/N] y';
  const parts = downloadParts({
    kind: 'data',
    id: 'a/b',
    commit,
    task: evil,
    licence: evil,
    gated: false,
    private: false,
    card: 'A card.',
    files: [{ path: evil, size: 1 }],
    size: 1,
    cached: 0,
    host: 'hub.example',
    config: evil,
    configs: [evil, `${evil}2`],
    splits: [{ name: evil, reference: '', files: 1, size: 1 }],
  });
  const text = terminalText(parts);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(text).not.toMatch(/^Download\?/m);
});

it('a model of the paper has its short name without the network too', async () => {
  const cache = scratchFolder('plan-offline');
  const endpoint = 'http://127.0.0.1:1';
  const hub = new Hub({ endpoint, cache, offline: true, xet: true, proxies: {}, certificates: [] });
  await expect(planModel(hub, 'roberta-base', {})).rejects.toThrow(
    'the model FacebookAI/roberta-base is not',
  );
});
