import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { FOLDER, positive } from './lib/bench/cases.mjs';
import { imageCase, parquetCase, textCase } from './lib/bench/data-cases.mjs';
import { parquetImageCase } from './lib/bench/data-images.mjs';
import { report } from './lib/bench/data-report.mjs';
import { trained } from './lib/bench/data-runs.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine } from './lib/machine.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:data -- [--case text|parquet|images|parquet-images]… [--scale 1] [--folder DIR] [--no-build]

Trains three steps on 2 GB of JSONL, on 1 GB of Parquet, on 50,000 images in folders, and on 1 GB of JPEG images in
several Parquet files, three times each: on a few of the rows, for what the model itself needs; on all of them; and again,
when the index is cached. It writes its section of docs/benchmarks.md, with the last result of each case that is left out.
With --scale 1/10, the data have a tenth of their size, as the section then says. Needs 5 GB in DIR (by default the
system's temporary folder).
`;
const CASES = {
  text: (folder, scale) => textCase(folder, 2e9 * scale),
  parquet: (folder, scale) => parquetCase(folder, 1e9 * scale),
  images: (folder, scale) => imageCase(folder, Math.round(50_000 * scale)),
  'parquet-images': (folder, scale) => parquetImageCase(folder, 1e9 * scale),
};
/** The last result of each case. */
const RESULTS = join(FOLDER, 'data.json');

await main(async () => {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', multiple: true, default: Object.keys(CASES) },
      scale: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      'no-build': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const unknown = values.case.find((name) => !Object.hasOwn(CASES, name));
  if (unknown !== undefined)
    throw new Failure(`--case ${unknown} is not one of ${Object.keys(CASES).join(', ')}.`);
  const scale = values.scale.includes('/')
    ? 1 / positive('scale', values.scale.slice(2))
    : positive('scale', values.scale);
  ensureDependencies();
  if (!values['no-build']) await build();
  const results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
  for (const name of values.case) {
    const result = await run(name, scale, values.folder);
    console.log(`\n${report([result], machine())}\n`);
    results[name] = result;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(RESULTS, JSON.stringify(results));
  }
  const all = Object.keys(CASES).flatMap((name) => results[name] ?? []);
  await writeSection('data', report(all, machine()));
  say('Written to docs/benchmarks.md.');
});

async function run(name, scale, parent) {
  const folder = mkdtempSync(join(parent, 'aurora-bench-data-'));
  try {
    say(`Writing the data: ${name} …`);
    const made = await CASES[name](folder, scale);
    const load = await busy();
    return { ...made, load, runs: await trained(made, folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
