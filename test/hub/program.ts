import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { build } from 'esbuild';

/** Downloads files of a model, prints what happens as JSON lines, and explains a failure on stderr. */
const DOWNLOADING = `
  import { AuroraError } from '../base/errors';
  import { Hub } from './hub-client';
  import { download } from './download/download';
  const [id, block, ...paths] = process.argv.slice(2);
  const tell = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
  async function main() {
    const hub = new Hub(undefined, { stallMs: 400, pause: (n) => n * 0.004 });
    const info = await hub.info('model', id);
    const wanted = paths.length > 0 ? paths : info.files.map((file) => file.path);
    tell({ kind: 'folder', folder: await download(hub, info, wanted, { block: Number(block), tell }) });
  }
  main().catch((e) => {
    const known = e instanceof AuroraError;
    console.error(known ? e.message + '\\n' + e.hint : e);
    process.exitCode = known ? e.exitCode : 70;
  });
`;

/** Uploads a folder to a repository, which it creates. */
export const UPLOADING = `
  import { Hub } from './hub-client';
  import { createRepository, findRepository } from './upload/repository';
  import { localFiles, upload } from './upload/upload';
  const [id, folder] = process.argv.slice(2);
  async function main() {
    const hub = new Hub(undefined, { stallMs: 1000, pause: (n) => n * 0.004 });
    const repo = (await findRepository(hub, id)) ?? (await createRepository(hub, id, true));
    await upload(hub, repo, { files: await localFiles(folder), title: 'An adapter' });
  }
  main().catch((e) => {
    console.error(e);
    process.exitCode = 70;
  });
`;

/** The exit code for what is not an AuroraError. */
export const OUR_FAULT = 70;

/** Builds the program as the product's programs are built. */
export async function buildProgram(file: string, contents = DOWNLOADING): Promise<void> {
  const resolveDir = resolve(import.meta.dirname, '../../src/hub');
  await build({
    stdin: { contents, resolveDir, loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    outfile: file,
    logLevel: 'warning',
  });
}

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** A moment of the program at which it kills itself (test/cli/kill-at.cjs). */
export interface Moment {
  pattern: string;
  when: 'before' | 'after';
}

/** Starts the program with only these variables of the environment. */
export function startProgram(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  moment?: Moment,
): { child: ChildProcess; ended: Promise<End> } {
  const preload = moment ? ['--require', resolve(import.meta.dirname, '../cli/kill-at.cjs')] : [];
  const child = spawn(process.execPath, [...preload, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...env, ...(moment && { AURORA_TEST_KILL: JSON.stringify(moment) }) },
  });
  const end = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (end.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (end.err += text));
  const ended = new Promise<End>((done) =>
    child.once('close', (code, signal) => done({ code, signal, ...end })),
  );
  return { child, ended };
}
