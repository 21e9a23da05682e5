import { existsSync } from 'node:fs';
import { HERE } from '../../scripts/lib/package/targets.mjs';
import { packagePath } from '../../scripts/package.mjs';

/** The package for this machine, which `npm run test:vscode` has built before the tests. */
export function vsixHere(target = HERE): string {
  const path = packagePath(target);
  if (!existsSync(path))
    throw new Error(`${path} is missing: run \`npm run package -- --target ${target}\`.`);
  return path;
}
