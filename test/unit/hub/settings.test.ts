import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hubSettings } from '../../../src/hub/hub-settings';
import { scratchFolder } from '../../scratch';

const home = scratchFolder('hub-settings');
const env = { HOME: home, HF_HOME: join(home, 'hf') };

describe('the settings of the hub', () => {
  it('are those of the hub itself without variables', () => {
    expect(hubSettings(env)).toEqual({
      endpoint: 'https://huggingface.co',
      offline: false,
      xet: true,
      cache: join(home, 'hf', 'hub'),
      proxies: { http: undefined, https: undefined, except: undefined },
      certificates: [],
    });
  });

  it('take a mirror, proxies and certificates from the environment', () => {
    const settings = hubSettings({
      ...env,
      HF_ENDPOINT: 'https://mirror.example/hf/',
      https_proxy: 'proxy:3128',
      HTTP_PROXY: 'http://proxy:3129',
      NO_PROXY: 'localhost',
      REQUESTS_CA_BUNDLE: '~/ca.pem',
      NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
      HF_HUB_DISABLE_XET: '1',
    });
    expect(settings).toMatchObject({
      endpoint: 'https://mirror.example/hf',
      xet: false,
      proxies: { http: 'http://proxy:3129', https: 'http://proxy:3128', except: 'localhost' },
      certificates: [
        { variable: 'NODE_EXTRA_CA_CERTS', path: '/etc/ca.pem' },
        { variable: 'REQUESTS_CA_BUNDLE' },
      ],
    });
  });

  it.each([
    [{ HF_HUB_OFFLINE: '1' }, true],
    [{ HF_HUB_OFFLINE: 'yes' }, true],
    [{ TRANSFORMERS_OFFLINE: 'TRUE' }, true],
    [{ HF_HUB_OFFLINE: '0', TRANSFORMERS_OFFLINE: '1' }, false],
    [{ HF_HUB_OFFLINE: '' }, false],
  ])('read %j as offline: %s', (more, offline) => {
    expect(hubSettings({ ...env, ...more }).offline).toBe(offline);
  });

  it('find the token in the variables first, then in the file of the hub’s own login', () => {
    const stored = join(home, 'hf');
    mkdirSync(stored);
    writeFileSync(join(stored, 'token'), 'hf_stored\n');
    writeFileSync(join(home, 'other'), 'hf_other');
    const token = (more: Record<string, string>) => hubSettings({ ...env, ...more }).token;
    expect(token({ HF_TOKEN: ' hf_named\r\n', HUGGING_FACE_HUB_TOKEN: 'hf_older' })).toBe('hf_named');
    expect(token({ HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: 'hf_older' })).toBe('hf_older');
    expect(token({})).toBe('hf_stored');
    expect(token({ HF_TOKEN_PATH: join(home, 'other') })).toBe('hf_other');
    expect(token({ HF_TOKEN_PATH: join(home, 'none') })).toBeUndefined();
    expect(token({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toBeUndefined();
  });
});
