import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { planModel } from '../../../src/cli/commands/get/model-download';
import { filesBelow } from '../../../src/files/tree';
import { download } from '../../../src/hub/download/download';
import { Hub } from '../../../src/hub/hub-client';
import type { HubModel, ModelVerdict } from '../../../src/protocol/hub';
import { commitOf, largeFile, smallFile, type Repository, type StoredFile } from '../../hub/repository';
import { HubServer } from '../../hub/server';
import { scratchFolder } from '../../scratch';

const FIXTURES = resolve('test/fixtures/hf');
const names = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'config.json')));

const server = new HubServer();
const root = scratchFolder('verdict');
const hub = () =>
  new Hub(
    {
      endpoint: server.endpoint,
      cache: join(root, 'hub'),
      offline: false,
      xet: true,
      proxies: {},
      certificates: [],
    },
    { pause: () => 0.001, stallMs: 5000 },
  );

/** A folder of test/fixtures/hf as a repository. @param more settings of config.json and files to add */
function served(name: string, id = `an-org/${name}`, config?: object, more: StoredFile[] = []): Repository {
  const folder = join(FIXTURES, name);
  const files = filesBelow(folder).map((path) => {
    const bytes = readFileSync(join(folder, path));
    if (path.endsWith('.safetensors')) return largeFile(path, bytes);
    if (path !== 'config.json' || !config) return smallFile(path, bytes);
    return smallFile(path, JSON.stringify({ ...(JSON.parse(bytes.toString()) as object), ...config }));
  });
  const repository: Repository = {
    kind: 'model',
    id,
    commit: commitOf(id),
    refs: ['main'],
    files: [...files, ...more],
  };
  server.repositories.push(repository);
  return repository;
}

beforeAll(async () => {
  // Each plan has a temporary folder, which is removed when the program ends.
  process.setMaxListeners(0);
  // Without measured rates, so that no other program's cache decides about the time of a step.
  vi.stubEnv('XDG_CACHE_HOME', join(root, 'cache'));
  await server.start();
});
afterAll(() => {
  server.stop();
  vi.unstubAllEnvs();
});

/** Without what the machine has left at the moment. */
function settled(verdict: ModelVerdict): ModelVerdict {
  if (verdict.usable === true) delete verdict.step.memory?.available;
  return verdict;
}

/** The verdicts on a repository before its files are downloaded and after. */
async function verdicts(repository: Repository): Promise<[before: ModelVerdict, after: ModelVerdict]> {
  const verdict = async () => {
    const plan = await planModel(hub(), repository.id, {});
    return { plan, verdict: settled((plan.shown as HubModel).verdict) };
  };
  const before = await verdict();
  expect(before.plan.missing.length).toBeGreaterThan(0);
  await download(hub(), before.plan.info, before.plan.paths);
  const after = await verdict();
  expect(after.plan.missing).toEqual([]);
  return [before.verdict, after.verdict];
}

describe('from the hub, the verdict before a download equals the one after it', () => {
  it.each(names)('of the model %s', async (name) => {
    const [before, after] = await verdicts(served(name));
    expect(before).toEqual(after);
    expect(after).toMatchObject({ usable: true });
  });

  it.each([
    ['whose type is not known', { model_type: 'mystery' }, /No supported model type|Similar and supported/],
    ['with its own code', { model_type: 'mystery', auto_map: { AutoModel: 'm.X' } }, /auto_map/],
    [
      'of a type that Optimum exports',
      { model_type: 'convbert' },
      /--model an-org\/c\S+ --task feature-extraction/,
    ],
    ['in an unknown quantization', { quantization_config: { quant_method: 'mystery' } }, /quantiz/],
    ['with a setting that is not implemented', { pruned_heads: { 0: [1] } }, /pruned_heads/],
  ])('of a model that is refused, %s', async (what, config, words) => {
    const [before, after] = await verdicts(served('bert', `an-org/c${commitOf(what).slice(0, 8)}`, config));
    expect(before).toEqual(after);
    expect(after).toMatchObject({ usable: false, problem: expect.stringContaining('an-org/c') as string });
    expect(Object.values(after).join(' ')).toMatch(words);
    expect(JSON.stringify(after)).not.toContain(root);
  });

  it('of a model that is refused, with an ONNX file that may be used instead', async () => {
    const onnx = largeFile('onnx/model.onnx', Buffer.from('x'));
    const [before, after] = await verdicts(served('bert', 'an-org/both', { model_type: 'mystery' }, [onnx]));
    expect(before).toEqual(after);
    expect(after).toMatchObject({
      usable: false,
      hint: expect.stringMatching(/--file onnx\/model\.onnx\.$/) as string,
    });
  });
});

it('pickled weights are refused before anything is downloaded', async () => {
  const repository = served('bert', 'an-org/pickled');
  repository.files = [
    ...repository.files.filter(({ path }) => path === 'config.json'),
    largeFile('pytorch_model.bin', Buffer.from('x')),
  ];
  await expect(planModel(hub(), 'an-org/pickled', {})).rejects.toMatchObject({
    kind: 'model',
    message: expect.stringContaining('pytorch_model.bin') as string,
  });
});
