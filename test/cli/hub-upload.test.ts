import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dice } from '../hub/fault-plan';
import { buildProgram, startProgram, UPLOADING, type End } from '../hub/program';
import { someBytes } from '../hub/repository';
import { HubServer } from '../hub/server';
import type { UploadFault, UploadRequest } from '../hub/uploads';
import { scratchFolder } from '../scratch';

/** Change it to try another campaign. */
const SEED = 18;
const KILLS = 25;
const FAULTS = 50;
const MOST_STARTS = 200;

const root = scratchFolder('hub-upload');
const folder = join(root, 'adapter');
const program = join(root, 'upload.cjs');
const server = new HubServer();
const { uploads } = server;
const random = dice(SEED);
const FILES: Record<string, Buffer> = {
  'README.md': Buffer.from('# RTE\n'),
  'adapter_config.json': Buffer.from('{"peft_type":"LORA"}'),
  'adapter_model.safetensors': someBytes(5_000_000, 1),
  'head.safetensors': someBytes(1_500_000, 2),
  'small.safetensors': someBytes(400_000, 3),
};
const SIZE = Object.values(FILES).reduce((sum, { length }) => sum + length, 0);

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of Object.entries(FILES)) writeFileSync(join(folder, path), bytes);
  await server.start();
  await buildProgram(program, UPLOADING);
});
afterAll(() => server.stop());

function faultFor({ route }: UploadRequest): UploadFault {
  const cut: UploadFault = { kind: 'cut', after: random.below(route === 'put' ? 400_000 : 200) };
  const busy: UploadFault = { kind: 'status', status: 429, headers: { 'retry-after': '0' } };
  const down: UploadFault = { kind: 'status', status: [500, 502, 503][random.below(3)] };
  const expired: UploadFault = { kind: 'status', status: 403 };
  const all = [cut, cut, busy, down, { kind: 'no answer' } as const];
  return route === 'put' || route === 'part' ? [...all, expired][random.below(6)] : all[random.below(5)];
}

it(`uploads through ${FAULTS} faults and ${KILLS} kills: nothing is visible before it is complete, and nothing that had arrived is sent again`, async () => {
  const env = { HOME: root, HF_ENDPOINT: server.endpoint, HF_TOKEN: server.token };
  const ends: string[] = [];
  let kills = 0;
  let faults = 0;
  let published = 0;
  let end: End | undefined;
  for (let starts = 0; kills < KILLS || faults < FAULTS; starts++) {
    expect(starts, JSON.stringify({ kills, faults, published, ends: ends.slice(-3) })).toBeLessThan(
      MOST_STARTS,
    );
    uploads.chunk = random.next() < 0.5 ? 1_000_000 : Infinity;
    // With a few bytes to spare, so that some come to their end; the requests around the content count as much as it.
    let rest = kills < KILLS ? random.below(random.next() < 0.5 ? SIZE : 5000) : Infinity;
    uploads.fault = (request) => {
      if (faults === FAULTS || request.route === 'other' || random.next() > 0.1) return undefined;
      faults++;
      return faultFor(request);
    };
    const { child, ended } = startProgram(program, ['alice/rte', folder], env);
    server.receiving = (_, bytes) => {
      rest -= bytes;
      if (rest > 0 || child.killed) return;
      child.kill('SIGKILL');
      kills++;
    };
    end = await ended;
    ends.push(`${end.code ?? end.signal} ${end.err.slice(0, 500)}`);
    expect(end.err).not.toContain(server.token);
    expect(end.code === 0 || end.signal === 'SIGKILL', ends.at(-1)).toBe(true);
    // Requests that a killed program had sent may still arrive.
    await new Promise((done) => setTimeout(done, 20));
    const there = server.repositories.find((r) => r.id === 'alice/rte');
    const files = (there?.files ?? []).filter(({ path }) => path !== '.gitattributes');
    expect([0, Object.keys(FILES).length]).toContain(files.length);
    for (const { path, bytes } of files) expect(bytes.equals(FILES[path]), path).toBe(true);
    if (end.code === 0) expect(files.length).toBeGreaterThan(0);
    if (files.length === 0) continue;
    // Whatever had arrived whole was not sent again, and there was one commit.
    expect(uploads.stored.length).toBe(new Set(uploads.stored).size);
    expect(uploads.commits.length).toBe(1);
    published++;
    server.repositories.length = 0;
    uploads.objects.clear();
    uploads.stored.length = 0;
    uploads.commits.length = 0;
  }
  expect(published).toBeGreaterThan(2);

  for (const { host, headers, body = '' } of server.seen) {
    expect(headers.includes(server.token)).toBe(host === 'hub');
    expect(body.includes(server.token)).toBe(false);
  }
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, name);
    if (lstatSync(path).isFile()) expect(readFileSync(path).includes(server.token), name).toBe(false);
  }
  console.log(
    JSON.stringify({ starts: ends.length, kills, faults, published, requests: server.seen.length }),
  );
});
