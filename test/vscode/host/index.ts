import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';

/**
 * VS Code calls this in the extension host. It runs the suites beside it and writes the report where the
 * driver reads it.
 */
export async function run(): Promise<void> {
  const mocha = new Mocha({
    ui: 'tdd',
    timeout: 900_000,
    reporter: 'json',
    reporterOptions: { output: process.env.AURORA_HOST_REPORT },
  });
  for (const file of readdirSync(__dirname))
    if (file.endsWith('.cjs') && file !== 'index.cjs') mocha.addFile(join(__dirname, file));
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} tests failed.`);
}
