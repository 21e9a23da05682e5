import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { claimTables } from './lib/study/claim-tables.mjs';
import { lookTables } from './lib/study/look-tables.mjs';
import { alarmTables, exceeds, metricTables, powerTable } from './lib/study/simulation-tables.mjs';

const HELP = `Usage: npm run simulate:study -- [--claims | --looks] [--studies 10000] [--seed 1]

Simulates studies of two methods without a true difference, tests them with the study's own code, and prints how often
it reports a difference: at most 5% of the studies may have p < 0.05 and 0.1% p < 0.001. Then prints how often it
detects a true difference. --studies sets the number per cell; cells of 10,000 examples have half as many. Exits with 1
if a share is above its level by more than the simulation's own uncertainty. With the default number it takes a quarter
of an hour and gives the tables of docs/study.md.

With --claims, simulates claims instead, with both looks, and prints how often a verdict is wrong: at most 2.5% of the
claims may be found true where there is no difference, and 2.5% found false where there is the claimed one. With
--claims --studies 2000 it takes about 20 minutes and gives the tables of docs/claims.md. With --looks --studies 1000, it
gives those for other numbers of seeds than 5 and 10.
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      studies: { type: 'string', default: '10000' },
      claims: { type: 'boolean' },
      looks: { type: 'boolean' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  ensureDependencies();
  const ofClaims = values.claims || values.looks;
  const simulation = await load(
    ofClaims ? 'test/unit/study/claim/simulation.ts' : 'test/unit/study/simulation.ts',
  );
  const options = { simulation, studies: Number(values.studies), seed: Number(values.seed), say };
  const { tables, counts } = (values.looks ? lookTables : values.claims ? claimTables : studyTables)(options);
  for (const { title, text } of tables) console.log(`\n${title}\n\n${text}`);
  const tooMany = counts.filter(exceeds);
  for (const c of tooMany)
    console.log(
      `\nToo many ${ofClaims ? 'wrong verdicts' : 'false alarms'}: ${c.name}, ${c.alarms} of ${c.studies}.`,
    );
  return tooMany.length > 0 ? 1 : 0;
});

function studyTables(options) {
  const accuracy = alarmTables(options);
  const others = metricTables(options);
  return {
    tables: [...accuracy.tables, ...others.tables, powerTable(options)],
    counts: [...accuracy.counts, ...others.counts],
  };
}

/** The product's code and a simulation of it, bundled for Node. */
async function load(simulation) {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-simulate-'));
  const outfile = join(folder, 'simulation.mjs');
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: [simulation],
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
