import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { alarmTables, exceeds, metricTables, powerTable } from './lib/study/simulation-tables.mjs';

const HELP = `Usage: npm run simulate:study -- [--studies 10000] [--seed 1]

Simulates studies of two methods without a true difference, tests them with the study's own code, and prints how often
it reports a difference: at most 5% of the studies may have p < 0.05 and 0.1% p < 0.001. Then prints how often it
detects a true difference. --studies sets the number per cell; cells of 10,000 examples have half as many. Exits with 1
if a share is above its level by more than the simulation's own uncertainty. With the default number it takes a quarter
of an hour and gives the tables of docs/study.md.
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      studies: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  ensureDependencies();
  const simulation = await load();
  const options = { simulation, studies: Number(values.studies), seed: Number(values.seed), say };
  const accuracy = alarmTables(options);
  const others = metricTables(options);
  const power = powerTable(options);
  for (const { title, text } of [...accuracy.tables, ...others.tables, power])
    console.log(`\n${title}\n\n${text}`);
  const tooMany = [...accuracy.counts, ...others.counts].filter(exceeds);
  for (const c of tooMany) console.log(`\nToo many false alarms: ${c.name}, ${c.alarms} of ${c.studies}.`);
  return tooMany.length > 0 ? 1 : 0;
});

/** The study's code and the simulation, bundled for Node. */
async function load() {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-simulate-'));
  const outfile = join(folder, 'simulation.mjs');
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: ['test/unit/study/simulation.ts'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile,
      logLevel: 'warning',
      loader: { '.py': 'text' },
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      external: ['vscode', 'onnxruntime-node'],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
