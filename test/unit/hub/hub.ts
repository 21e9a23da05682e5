import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Hub } from '../../../src/hub/hub-client';
import type { HubSettings } from '../../../src/hub/hub-settings';
import { commitOf, largeFile, smallFile, someBytes, type Repository } from '../../hub/repository';
import { HubServer } from '../../hub/server';
import { scratchFolder } from '../../scratch';

export interface Served {
  server: HubServer;
  model: Repository;
  /** A folder for a cache, which does not exist yet. */
  newCache(): string;
  /** A client with a new cache that does not wait long. */
  hub(more?: Partial<HubSettings>): Hub;
}

/** A server for the tests of a file, with a small model that has every kind of file. */
export function servedModel(): Served {
  const server = new HubServer();
  const model: Repository = {
    kind: 'model',
    id: 'an-org/a-model',
    commit: commitOf('a model'),
    refs: ['main', 'refs/pr/1'],
    task: 'fill-mask',
    tags: ['transformers', 'license:apache-2.0'],
    files: [
      smallFile('README.md', '---\nlicense: apache-2.0\n---\n\n# A model\n\nIt does something.\n'),
      smallFile('config.json', '{"model_type":"bert"}'),
      smallFile('empty.txt', ''),
      smallFile('1_Pooling/config with spaces.json', '{}'),
      largeFile('model.safetensors', someBytes(1_000_003, 7), { xet: true }),
      largeFile('other.safetensors', someBytes(300_000, 8)),
    ],
  };
  server.repositories.push(model);
  beforeAll(async () => void (await server.start()));
  afterAll(() => server.stop());
  const root = scratchFolder('hub');
  let count = 0;
  const newCache = () => join(root, `cache-${count++}`);
  const hub = (more: Partial<HubSettings> = {}) => {
    const settings = { offline: false, xet: true, proxies: {}, certificates: [], ...more };
    const own = { endpoint: server.endpoint, cache: newCache(), ...settings };
    return new Hub(own, { pause: () => 0.001, stallMs: 500 });
  };
  return { server, model, newCache, hub };
}
