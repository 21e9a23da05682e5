import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Hub } from '../../src/hub/hub-client';
import { download } from '../../src/hub/download/download';
import { hubSettings } from '../../src/hub/hub-settings';
import { gitBlob } from '../hub/repository';
import { scratchFolder } from '../scratch';
import { closeAll, Files, serveBehindProxy } from './gpu/servers';

const root = scratchFolder('hub-proxy');
afterAll(closeAll);

const commit = createHash('sha1').update('proxy').digest('hex');
const config = Buffer.from('{"model_type":"bert"}');

it('reaches a mirror behind a proxy, with a private certificate, and nothing else', async () => {
  const files = new Files();
  const host = 'mirror.example';
  files.add(`/api/models/an-org/a-model/revision/main`, { id: 'an-org/a-model', sha: commit });
  files.add(`/api/models/an-org/a-model/tree/${commit}?recursive=true`, [
    { type: 'file', path: 'config.json', size: config.length, oid: gitBlob(config) },
  ]);
  files.add(`/an-org/a-model/resolve/${commit}/config.json`, config);
  const network = await serveBehindProxy(files, host);
  const { NODE_EXTRA_CA_CERTS: certificate, HTTPS_PROXY } = network;
  const env = { HOME: root, HF_HOME: root, HF_ENDPOINT: `https://${host}`, HTTPS_PROXY };
  const options = { pause: () => 0.001 };

  const untrusting = new Hub(hubSettings(env), options);
  await expect(untrusting.info('model', 'an-org/a-model')).rejects.toMatchObject({
    kind: 'network',
    message: expect.stringMatching(/^The certificate of mirror\.example is not trusted/),
  });

  for (const variable of ['REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
    const hub = new Hub(hubSettings({ ...env, [variable]: certificate }), options);
    const info = await hub.info('model', 'an-org/a-model');
    const folder = await download(hub, info, ['config.json']);
    expect(readFileSync(join(folder, 'config.json'))).toEqual(config);
    expect(hub.hosts).toEqual([host]);
  }
  expect(new Set(files.seen.filter((line) => line.startsWith('CONNECT')))).toEqual(
    new Set([`CONNECT ${host}:443`]),
  );

  const missing = { ...env, SSL_CERT_FILE: join(root, 'none.pem') };
  await expect(new Hub(hubSettings(missing), options).info('model', 'an-org/a-model')).rejects.toMatchObject({
    kind: 'usage',
    message: `SSL_CERT_FILE names ${join(root, 'none.pem')}, which cannot be read (ENOENT).`,
  });
});
