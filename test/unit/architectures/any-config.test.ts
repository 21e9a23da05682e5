import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { AuroraError } from '../../../src/base/errors';
import { Folders } from './folders';

const HUB = join(import.meta.dirname, '../../fixtures/hf');
const PIPELINES = join(HUB, '../diffusers');
const VALUES = [-1, 0, 0.5, 1e6, 1e308, 'x', null, true, [], {}, [1e9], { rope_type: 'x' }, 'NaN'];
const MOST_BYTES = 50e6;

type Settings = Record<string, unknown>;

const folders = new Folders();
afterAll(() => folders.remove());

/** The first fixture of each family. */
const families = new Map<string, { path: string; config: Settings }>();
for (const path of [
  ...readdirSync(HUB)
    .sort()
    .map((name) => join(HUB, name)),
  join(PIPELINES, 'sdxl/unet'),
]) {
  if (!existsSync(join(path, 'config.json'))) continue;
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as Settings;
  const type = String(config.model_type ?? config._class_name);
  if (!families.has(type)) families.set(type, { path, config });
}

const isSection = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The places of all settings, also within others. */
const placesIn = (settings: Settings): string[][] =>
  Object.entries(settings).flatMap(([key, value]) => [
    [key],
    ...(isSection(value) ? placesIn(value).map((place) => [key, ...place]) : []),
  ]);

function changed(settings: Settings, [key, ...rest]: string[], value: unknown): Settings {
  return { ...settings, [key]: rest.length === 0 ? value : changed(settings[key] as Settings, rest, value) };
}

const allocated = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** The problem with how a folder is read; undefined if it is read, or refused as it should be. */
function problem(folder: string): string | undefined {
  const before = allocated();
  let fault: string | undefined;
  try {
    loadModelFrom(modelSource(folder), 'structure');
  } catch (e) {
    if (!(e instanceof AuroraError)) fault = String(e);
    else if (!e.hint || !e.message.includes(folder)) fault = `${e.message} (${e.hint ?? 'no hint'})`;
  }
  const bytes = allocated() - before;
  return bytes > MOST_BYTES ? `${Math.round(bytes / 1e6)} MB` : fault;
}

describe('a setting of any value costs no memory, and gives a model or one error with a next step', () => {
  it.each([...families])('%s', (_, { path, config }) => {
    const folder = folders.make({ 'config.json': config });
    cpSync(path, folder, { recursive: true });
    const problems = placesIn(config).flatMap((place, i) =>
      // A size that no table has, and one of the others in turn.
      [2 ** 31 - 1, VALUES[i % VALUES.length], VALUES[(i + 5) % VALUES.length]].flatMap((value) => {
        writeFileSync(join(folder, 'config.json'), JSON.stringify(changed(config, place, value)));
        const found = problem(folder);
        return found === undefined ? [] : [`${place.join('.')} = ${JSON.stringify(value)}: ${found}`];
      }),
    );
    expect(problems).toEqual([]);
  });
});
