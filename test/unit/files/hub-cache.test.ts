import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hubCacheFolder, hubHome, localPath, writtenPath } from '../../../src/files/hub-cache';

const C = '0123456789abcdef0123456789abcdef01234567';
afterEach(() => vi.unstubAllEnvs());

describe('the hub’s cache', () => {
  // constants.py of huggingface_hub.
  it.each([
    [{}, '/home/me/.cache/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/var/c' }, '/var/c/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/var/c', HF_HOME: '~/hf' }, '/home/me/hf/hub'],
    [{ HF_HOME: '$DATA/hf', DATA: '/data' }, '/data/hf/hub'],
    [{ HF_HOME: '/hf', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
    [
      { HF_HOME: '/hf', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '${DATA}/new', DATA: '/data' },
      '/data/new',
    ],
    [{ HF_HUB_CACHE: '' }, '/home/me/.cache/huggingface/hub'],
  ])('is where %o says', (env, folder) => {
    expect(hubCacheFolder(env, '/home/me')).toBe(resolve(folder));
  });

  it('has the token beside it, unless only the cache is elsewhere', () => {
    expect(hubHome({ HF_HUB_CACHE: '/c' }, '/home/me')).toBe(join('/home/me', '.cache', 'huggingface'));
  });

  it('has what a reference names, and a path in it is written as that reference', () => {
    vi.stubEnv('HF_HUB_CACHE', resolve('/hub'));
    const text = `hf://datasets/nyu-mll/glue@${C}/rte/train/*.parquet`;
    const path = localPath('/experiments', text);
    expect(path).toBe(resolve('/hub/datasets--nyu-mll--glue/snapshots', C, 'rte/train/*.parquet'));
    expect(writtenPath('/experiments/x.aurora.json', path)).toBe(text);
    expect(localPath('/experiments', `hf://gpt2@${C}`)).toBe(resolve('/hub/models--gpt2/snapshots', C));
  });

  it('changes no other path, nor one of another cache, which no reference would lead to', () => {
    vi.stubEnv('HF_HUB_CACHE', resolve('/hub'));
    expect(localPath('/experiments', '../data/train.csv')).toBe(resolve('/data/train.csv'));
    const other = resolve('/experiments/other/models--gpt2/snapshots', C);
    expect(writtenPath('/experiments/x.aurora.json', other)).toBe(`other/models--gpt2/snapshots/${C}`);
  });
});
