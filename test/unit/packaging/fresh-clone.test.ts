import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(__dirname, '../../..');

/** Packages that a script loads before its first line runs, as "file: package", without Node's own modules. */
function packagesOf(script: string, seen = new Set<string>()): string[] {
  if (seen.has(script)) return [];
  seen.add(script);
  const text = readFileSync(script, 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)';/gm)].map((m) => m[1]);
  return imports.flatMap((name) => {
    if (name.startsWith('.')) return packagesOf(join(dirname(script), name), seen);
    return isBuiltin(name) ? [] : [`${relative(ROOT, script)}: ${name}`];
  });
}

it.each([
  'start',
  'test',
  'build',
  'package',
  'workbench',
  'bench',
  'check-gpu',
  'screenshots',
  'soak',
  'study',
])('npm run %s works before anything is installed: it loads no package', (name) => {
  const seen = new Set<string>();
  expect(packagesOf(join(ROOT, 'scripts', `${name}.mjs`), seen)).toEqual([]);
  expect(seen.size).toBeGreaterThan(2);
});
