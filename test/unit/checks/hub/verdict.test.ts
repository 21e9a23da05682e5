import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { filesBelow } from '../../../../src/files/tree';
import { chooseModelFiles } from '../../../../src/hub/choose-files';
import type { ModelVerdict } from '../../../../src/protocol/hub';
import type { MachineRates } from '../../../../src/protocol/step-cost';
import { isStructure, writeHeadersOnly } from '../../../../src/checks/hub/headers-only';
import { modelVerdict } from '../../../../src/checks/hub/verdict';
import { LAYOUTS, writeFolders } from '../../../fixtures/few-bits/write.mjs';

const FIXTURES = resolve('test/fixtures/hf');
const RATES: MachineRates = {
  at: 1,
  threads: 0,
  gflops: 50,
  int8Gflops: 300,
  widened: { blocks: 1e9, columns: 5e8 },
  bytesPerSecond: 1e10,
  secondsPerNode: 1e-5,
  functionsPerSecond: 1e9,
};
const folders: string[] = [];
const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-verdict-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Without what the machine has left at the moment. */
function settled(verdict: ModelVerdict): ModelVerdict {
  if (verdict.usable === true) delete verdict.step.memory?.available;
  return verdict;
}
const verdictOn = async (path: string) =>
  settled(await modelVerdict(path, { name: 'org/name', rates: () => Promise.resolve(RATES) }));

/** The verdict before a download, from a repository that is a folder here, and the bytes that were read of its weights. */
async function before(repo: string): Promise<{ verdict: ModelVerdict; read: number }> {
  const list = filesBelow(repo).map((path) => ({ path, size: statSync(join(repo, path)).size }));
  const { files, weights } = chooseModelFiles('org/name', list);
  const folder = temporary();
  let read = 0;
  await writeHeadersOnly(
    folder,
    {
      texts: files.filter(({ path }) => isStructure(path)),
      weights: files.filter(({ path }) => weights.includes(path)),
    },
    (path, start, end) => {
      if (weights.includes(path)) read += end - start;
      return Promise.resolve(readFileSync(join(repo, path)).subarray(start, end));
    },
  );
  for (const path of weights) expect(statSync(join(folder, path)).size).toBe(statSync(join(repo, path)).size);
  return { verdict: await verdictOn(folder), read };
}

describe('the verdict before a download', () => {
  const names = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'config.json')));

  it.each(names)('equals the one after it: %s', async (name) => {
    const repo = join(FIXTURES, name);
    const { verdict } = await before(repo);
    expect(verdict).toEqual(await verdictOn(repo));
  });

  it.each(['sd', 'sdxl'])('equals the one after it, of a pipeline: %s', async (name) => {
    const repo = resolve('test/fixtures/diffusers', name);
    const { verdict } = await before(repo);
    expect(verdict).toMatchObject({ usable: true, family: 'UNet2DConditionModel', blocked: 0 });
    expect(verdict).toEqual(await verdictOn(repo));
  });

  it.each(Object.keys(LAYOUTS))('equals the one after it, of weights in few bits: %s', async (layout) => {
    const { quantized, floats } = writeFolders(temporary(), layout);
    const { verdict } = await before(quantized);
    expect(verdict).toEqual(await verdictOn(quantized));
    const whole = (await before(floats)).verdict;
    if (verdict.usable !== true || whole.usable !== true) throw new Error(`${layout} is refused`);
    const { family, parameters, layers, blocked } = whole;
    expect(verdict).toMatchObject({ family, parameters, layers, blocked });
    expect(verdict.step.memory!.weights).toBeLessThan(0.9 * whole.step.memory!.weights);
  });

  it('says what a model offers and takes', async () => {
    expect((await before(join(FIXTURES, 'bert'))).verdict).toMatchObject({
      usable: true,
      family: 'bert',
      blocked: 0,
      step: { method: 'aurora', batch: 8, memory: {}, time: {} },
    });
  });

  it('reads only the headers of the weights', async () => {
    const repo = temporary();
    cpSync(join(FIXTURES, 'bert'), repo, { recursive: true });
    const weights = readFileSync(join(repo, 'model.safetensors'));
    const header = 8 + Number(weights.readBigUInt64LE());
    // As if the model had 300 MB: what is behind the tensors is not looked at.
    writeFileSync(join(repo, 'model.safetensors'), Buffer.concat([weights, Buffer.alloc(300_000)]));
    const { read, verdict } = await before(repo);
    expect(verdict.usable).toBe(true);
    expect(read).toBeLessThanOrEqual(Math.max(header, 64 * 1024));
  });

  it.each([
    ['a family that is not known', { model_type: 'mamba' }],
    ['a quantized model', { quantization_config: { quant_method: 'hqq' } }],
    ['a setting that is not implemented', { position_embedding_type: 'relative_key' }],
    ['weights of another shape', { hidden_size: 64 }],
    ['a weight that is missing', { num_hidden_layers: 7 }],
  ])('refuses %s with the same words, which name no path of this machine', async (_, changed) => {
    const repo = temporary();
    cpSync(join(FIXTURES, 'bert'), repo, { recursive: true });
    const config = JSON.parse(readFileSync(join(repo, 'config.json'), 'utf8')) as object;
    writeFileSync(join(repo, 'config.json'), JSON.stringify({ ...config, ...changed }));
    const { verdict } = await before(repo);
    expect(verdict).toMatchObject({ usable: false, problem: expect.stringContaining('org/name') as string });
    expect(verdict).toEqual(await verdictOn(repo));
    expect(JSON.stringify(verdict)).not.toContain(tmpdir());
  });

  it.each(['gpt2', 'gpt2-untied'])(
    'tells a head that only seems to be tied by its first values: %s',
    async (name) => {
      const repo = temporary();
      cpSync(join(FIXTURES, name), repo, { recursive: true });
      const config = JSON.parse(readFileSync(join(repo, 'config.json'), 'utf8')) as object;
      writeFileSync(join(repo, 'config.json'), JSON.stringify({ ...config, tie_word_embeddings: true }));
      const { verdict } = await before(repo);
      expect(verdict).toEqual(await verdictOn(repo));
      expect(verdict.usable).toBe(true);
    },
  );

  it('is the same for a model in several files', async () => {
    const repo = temporary();
    const source = join(FIXTURES, 'bert');
    cpSync(join(source, 'config.json'), join(repo, 'config.json'));
    splitWeights(join(source, 'model.safetensors'), repo);
    const { verdict } = await before(repo);
    expect(verdict).toEqual(await verdictOn(repo));
    expect(verdict).toMatchObject({ usable: true, family: 'bert' });
  });
});

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes the tensors of a file alternately into two, with their index. */
function splitWeights(path: string, to: string): void {
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const entries = JSON.parse(bytes.subarray(8, end).toString()) as Record<string, Entry>;
  const names = Object.keys(entries).filter((name) => name !== '__metadata__');
  const weightMap: Record<string, string> = {};
  mkdirSync(to, { recursive: true });
  for (const part of [0, 1]) {
    const file = `model-0000${part + 1}-of-00002.safetensors`;
    const parts: Buffer[] = [];
    const header: Record<string, Entry> = {};
    let at = 0;
    for (const name of names.filter((_, i) => i % 2 === part)) {
      const [from, stop] = entries[name].data_offsets;
      header[name] = { ...entries[name], data_offsets: [at, at + stop - from] };
      parts.push(bytes.subarray(end + from, end + stop));
      at += stop - from;
      weightMap[name] = file;
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(join(to, file), Buffer.concat([length, json, ...parts]));
  }
  writeFileSync(
    join(to, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: {}, weight_map: weightMap }),
  );
}

/** A safetensors file of scalars that all have the same place. */
function scalars(names: readonly string[]): Buffer {
  const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
  const header = Buffer.from(JSON.stringify(Object.fromEntries(names.map((name) => [name, entry]))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4)]);
}

it('reads only a few parts, however many tensors are like the head', async () => {
  const file = scalars(['lm_head.weight', ...Array.from({ length: 5000 }, (_, i) => `t${i}`)]);
  let reads = 0;
  const weights = [{ path: 'model.safetensors', size: file.length }];
  await writeHeadersOnly(temporary(), { texts: [], weights }, (_, start, end) => {
    reads++;
    return Promise.resolve(file.subarray(start, end));
  });
  expect(reads).toBeLessThanOrEqual(10);
});

it('explains a size that the disk does not take', async ({ skip }) => {
  // Beside the repository: temporary files may be in memory, which takes any size.
  mkdirSync(resolve('.cache'), { recursive: true });
  const folder = mkdtempSync(resolve('.cache', 'verdict-'));
  folders.push(folder);
  skip(takes(folder, 9e15), 'This file system takes any size.');
  const file = scalars(['a']);
  const weights = [{ path: 'model.safetensors', size: 9e15 }];
  const read = (_: string, start: number, end: number) => Promise.resolve(file.subarray(start, end));
  await expect(writeHeadersOnly(folder, { texts: [], weights }, read)).rejects.toMatchObject({
    kind: 'disk',
  });
});

function takes(folder: string, size: number): boolean {
  const file = join(folder, 'large');
  writeFileSync(file, '');
  try {
    truncateSync(file, size);
    return true;
  } catch {
    return false;
  }
}
