/**
 * Makes demo/data/: Debian package descriptions and their archive sections, from apt's own indexes. Run once, on Debian
 * 13 as root after `apt-get -o Acquire::Languages=en update`; the result is committed, so that the demo gives the same
 * numbers everywhere.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';

const LISTS = '/var/lib/apt/lists';
const SUITE = 'debian_dists_trixie';
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

function releaseName() {
  const release = readFileSync(index(/_InRelease$/), 'utf8');
  const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(release)?.[1];
  return `Debian ${field('Version')} (${field('Date')})`;
}

/** Package name to section and source package, in the index's order. */
function packages() {
  const found = new Map();
  for (const record of records(/_main_binary-amd64_Packages/)) {
    const name = record.get('Package');
    const source = (record.get('Source') ?? name).split(' ')[0];
    found.set(name, { name, source, label: record.get('Section') });
  }
  return found.values();
}

/** Package name to its summary and long description, unwrapped. */
function descriptions() {
  const found = new Map();
  for (const record of records(/_main_i18n_Translation-en/)) {
    const [summary, ...lines] = record.get('Description-en')?.split('\n') ?? [];
    const paragraphs = lines.map((line) => line.replace(/^ \.?/, '').trim()).filter(Boolean);
    if (summary !== undefined) found.set(record.get('Package'), { summary, body: paragraphs.join(' ') });
  }
  return found;
}

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

/** A fifth of the source packages, by hash, so that sibling packages are never in both splits. */
function splitOf(source) {
  const hash = createHash('md5').update(source).digest().readUInt16BE(0);
  return hash % 5 === 0 ? 'validation' : 'train';
}

/** The records of an index: fields with their continuation lines (deb822). */
function* records(pattern) {
  const text = execFileSync('/usr/lib/apt/apt-helper', ['cat-file', index(pattern)], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  for (const block of text.split('\n\n')) {
    const fields = block.split(/\n(?! )/).map((field) => /^([^:]+): ?([^]*)$/.exec(field)?.slice(1));
    const record = new Map(fields.filter(Boolean));
    if (record.has('Package')) yield record;
  }
}

function index(pattern) {
  const name = readdirSync(LISTS).find((file) => file.includes(`${SUITE}_`) && pattern.test(file));
  if (name) return join(LISTS, name);
  throw new Failure(
    `apt has no Debian 13 index that matches ${pattern}.`,
    'On Debian 13, as root: apt-get -o Acquire::Languages=en update',
  );
}

/** No time or operating system in the header: the same rows give the same file. */
function gzip(text) {
  const bytes = gzipSync(text, { level: 9 });
  bytes[9] = 255;
  return bytes;
}

function printCounts(splits) {
  for (const label of [...SECTIONS].sort()) {
    const [train, validation] = Object.values(splits).map((s) => s.filter((r) => r.label === label).length);
    console.log(`| ${label} | ${train} | ${validation} |`);
  }
}
