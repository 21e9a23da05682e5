import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure, say } from '../console.mjs';
import { CLI } from './study.mjs';

/**
 * Pictures that a finished run's last checkpoint draws, and the same ones of its model without the adapter, as PNG files in
 * `<run>/drawn`; those that are there already are not drawn again.
 * @param {string} run its folder
 * @param {Record<string, { text: string, seeds: number[] }>} prompts by a name for the files
 * @param {object} settings of the playground's drawing, without the seed
 * @returns {Promise<Record<string, Record<'adapted' | 'base', string[]>>>} paths, by the names of `prompts`
 */
export async function drawn(run, prompts, settings) {
  const folder = join(run, 'drawn');
  mkdirSync(folder, { recursive: true });
  const path = (name, variant, seed) => join(folder, `${name}-${variant}-${seed}.png`);
  const all = Object.entries(prompts).flatMap(([name, { text, seeds }]) =>
    seeds.map((seed) => ({ name, text, seed })),
  );
  const missing = all.filter(({ name, seed }) =>
    ['adapted', 'base'].some((variant) => !existsSync(path(name, variant, seed))),
  );
  if (missing.length > 0) {
    say(`Drawing ${missing.length} pictures, twice …`);
    await draw(run, missing, settings, path);
  }
  return Object.fromEntries(
    Object.entries(prompts).map(([name, { seeds }]) => {
      const of = (variant) => seeds.map((seed) => path(name, variant, seed));
      return [name, { adapted: of('adapted'), base: of('base') }];
    }),
  );
}

/** One after the other: a new request ends the one before. */
function draw(run, requests, settings, path) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'play', run, '--at', 'last', '--json'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let next = 0;
    const ask = () => {
      if (next === requests.length) return child.stdin.end();
      const { text, seed } = requests[next++];
      const request = { kind: 'draw', request: next, text, settings: { ...settings, seed } };
      child.stdin.write(`${JSON.stringify(request)}\n`);
    };
    let failed;
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text);
      if (line.kind === 'loaded' || line.kind === 'answered') ask();
      if (line.kind === 'picture') {
        const { name, seed } = requests[line.request - 1];
        writeFileSync(path(name, line.variant, seed), Buffer.from(line.png, 'base64'));
      }
      if (line.kind === 'problem') {
        failed = new Failure(`${run} drew nothing: ${line.message}`);
        child.stdin.end();
      }
    });
    child.on('error', reject);
    child.on('close', (code) =>
      failed || code !== 0 ? reject(failed ?? new Failure(`aurora play ended with ${code}.`)) : resolve(),
    );
  });
}
