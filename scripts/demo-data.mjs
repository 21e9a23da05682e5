/**
 * Makes demo/data/: Debian package descriptions and their archive sections, from apt's own indexes. Run once, on Debian
 * 13 as root after `apt-get -o Acquire::Languages=en update`; the result is committed, so that the demo gives the same
 * numbers everywhere.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, say } from './lib/console.mjs';
import { descriptions, gzip, packages, releaseName, splitOf } from './lib/debian-index.mjs';
import { ROOT } from './lib/run.mjs';

const MAX_CHARACTERS = 1500;
const SECTIONS = new Set(
  (
    'admin database devel editors electronics fonts games graphics hamradio mail math net science sound ' +
    'text utils vcs video web'
  ).split(' '),
);

await main(() => {
  say(`Reading apt's indexes of ${releaseName()} …`);
  const rows = distinct(packages(), descriptions());
  const splits = { train: [], validation: [] };
  for (const row of rows) splits[splitOf(row.source)].push(row);
  const folder = join(ROOT, 'demo', 'data');
  mkdirSync(folder, { recursive: true });
  for (const [split, part] of Object.entries(splits)) {
    const lines = part.map(({ text, label, name }) => JSON.stringify({ text, label, package: name }));
    writeFileSync(join(folder, `debian-sections-${split}.jsonl.gz`), gzip(`${lines.join('\n')}\n`));
    say(`${split}: ${part.length} rows`);
  }
  printCounts(splits);
});

/** One row per source package and section, without repeated descriptions. */
function distinct(all, described) {
  const seen = new Set();
  const rows = [];
  for (const { name, source, label } of all) {
    const description = described.get(name);
    if (!SECTIONS.has(label) || !description) continue;
    const family = `${source}|${label}`;
    const text = `text ${description.body}`;
    if (seen.has(family) || seen.has(text)) continue;
    seen.add(family).add(text);
    rows.push({
      name,
      source,
      label,
      text: `${description.summary}. ${description.body}`.slice(0, MAX_CHARACTERS),
    });
  }
  return rows;
}

function printCounts(splits) {
  for (const label of [...SECTIONS].sort()) {
    const [train, validation] = Object.values(splits).map((s) => s.filter((r) => r.label === label).length);
    console.log(`| ${label} | ${train} | ${validation} |`);
  }
}
