import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure, say } from '../console.mjs';
import { CLI } from './study.mjs';

/**
 * Pictures that a finished run's last checkpoint draws, as PNG files in `<run>/drawn`; those that are there already are not
 * drawn again.
 * @param {string} run its folder
 * @param {Record<string, { text: string, seeds: number[] }>} prompts by a name for the files
 * @param {object} settings of the playground's drawing, without the seed
 * @returns {Promise<Record<string, string[]>>} paths, by the names of `prompts`
 */
export async function drawn(run, prompts, settings) {
  const folder = join(run, 'drawn');
  mkdirSync(folder, { recursive: true });
  const path = (name, seed) => join(folder, `${name}-${seed}.png`);
  const missing = Object.entries(prompts)
    .flatMap(([name, { text, seeds }]) => seeds.map((seed) => ({ text, seed, path: path(name, seed) })))
    .filter((picture) => !existsSync(picture.path));
  if (missing.length > 0) {
    say(`Drawing ${missing.length} pictures …`);
    await draw(run, missing, settings);
  }
  return Object.fromEntries(
    Object.entries(prompts).map(([name, { seeds }]) => [name, seeds.map((seed) => path(name, seed))]),
  );
}

/** One after the other: a new request ends the one before. */
function draw(run, pictures, settings) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'play', '--json'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const send = (request) => child.stdin.write(`${JSON.stringify(request)}\n`);
    let next = 0;
    const ask = () => {
      if (next === pictures.length) return child.stdin.end();
      const { text, seed } = pictures[next++];
      send({ kind: 'draw', request: next, text, settings: { ...settings, seed } });
    };
    let failed;
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text);
      if (line.kind === 'loaded' || line.kind === 'answered') ask();
      if (line.kind === 'picture')
        writeFileSync(pictures[line.request - 1].path, Buffer.from(line.png, 'base64'));
      if (line.kind === 'problem') {
        failed = new Failure(`${run} drew nothing: ${line.message}`);
        child.stdin.end();
      }
    });
    child.on('error', reject);
    child.on('close', (code) =>
      failed || code !== 0 ? reject(failed ?? new Failure(`aurora play ended with ${code}.`)) : resolve(),
    );
    send({ kind: 'load', subject: 'run', source: { kind: 'run', run, at: 'last' }, base: false });
  });
}
