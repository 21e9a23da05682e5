/** Reads the package index and the English descriptions of Debian 13, as apt downloads them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Failure } from './console.mjs';

const LISTS = '/var/lib/apt/lists';
const SUITE = 'debian_dists_trixie';

/** Such as "Debian 13.8 (Sat, 21 Nov 2026 …)". */
export function releaseName(lists = LISTS) {
  const release = readFileSync(index(lists, /_InRelease$/), 'utf8');
  const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(release)?.[1];
  return `Debian ${field('Version')} (${field('Date')})`;
}

/** Each package's name, source package, section (`label`), tags and installed size in KiB, in the index's order. */
export function packages(lists = LISTS) {
  const found = new Map();
  for (const record of records(lists, /_main_binary-amd64_Packages/)) {
    const name = record.get('Package');
    const source = (record.get('Source') ?? name).split(' ')[0];
    const tags = (record.get('Tag') ?? '').split(/,\s*/).filter(Boolean);
    const size = Number(record.get('Installed-Size') ?? 0);
    found.set(name, { name, source, label: record.get('Section'), tags, size });
  }
  return found.values();
}

/** Package name to its summary and long description, unwrapped. */
export function descriptions(lists = LISTS) {
  const found = new Map();
  for (const record of records(lists, /_main_i18n_Translation-en/)) {
    const [summary, ...lines] = record.get('Description-en')?.split('\n') ?? [];
    const paragraphs = lines.map((line) => line.replace(/^ \.?/, '').trim()).filter(Boolean);
    if (summary !== undefined) found.set(record.get('Package'), { summary, body: paragraphs.join(' ') });
  }
  return found;
}

/** A fifth of the source packages, by hash, so that sibling packages are never in both splits. */
export function splitOf(source) {
  const hash = createHash('md5').update(source).digest().readUInt16BE(0);
  return hash % 5 === 0 ? 'validation' : 'train';
}

/** No time or operating system in the header: the same rows give the same file. */
export function gzip(text) {
  const bytes = gzipSync(text, { level: 9 });
  bytes[9] = 255;
  return bytes;
}

/** The records of an index: fields with their continuation lines (deb822). */
function* records(lists, pattern) {
  const text = execFileSync('/usr/lib/apt/apt-helper', ['cat-file', index(lists, pattern)], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  for (const block of text.split('\n\n')) {
    const fields = block.split(/\n(?! )/).map((field) => /^([^:]+): ?([^]*)$/.exec(field)?.slice(1));
    const record = new Map(fields.filter(Boolean));
    if (record.has('Package')) yield record;
  }
}

function index(lists, pattern) {
  const name = readdirSync(lists).find((file) => file.includes(`${SUITE}_`) && pattern.test(file));
  if (name) return join(lists, name);
  throw new Failure(
    `apt has no Debian 13 index that matches ${pattern}.`,
    'On Debian 13, as root: apt-get -o Acquire::Languages=en update',
  );
}
