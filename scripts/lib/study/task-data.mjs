/** Multi-label, regression and pair data from Debian's package index, for scripts/study-tasks.mjs. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { descriptions, packages, splitOf } from '../debian-index.mjs';

const MAX_CHARACTERS = 1500;
const MOST = { train: 2000, validation: 1500 };
const LABELS = 20;

/**
 * Writes `tags`, `size` and `pairs` to a folder, each with a training and a validation file.
 * @returns {Record<string, Record<'train' | 'validation', number>>} the rows of each
 */
export function writeTaskData(folder) {
  mkdirSync(folder, { recursive: true });
  const all = described();
  const sets = { tags: tagged(all), size: sized(all), pairs: paired(all) };
  return Object.fromEntries(
    Object.entries(sets).map(([name, rows]) => [
      name,
      Object.fromEntries(
        Object.entries(MOST).map(([split, most]) => {
          const part = rows.filter(({ source }) => splitOf(source) === split).slice(0, most);
          const lines = part.map(({ row }) => JSON.stringify(row));
          writeFileSync(join(folder, `${name}-${split}.jsonl`), `${lines.join('\n')}\n`);
          return [split, part.length];
        }),
      ),
    ]),
  );
}

const hashOf = (text) => createHash('md5').update(text).digest('hex');

/** One package of each source, in an order that depends only on their names. */
function described() {
  const texts = descriptions();
  const seen = new Set();
  return [...packages()]
    .filter(({ name, source }) => {
      if (!texts.get(name)?.body || seen.has(source)) return false;
      seen.add(source);
      return true;
    })
    .map((p) => ({ ...p, ...texts.get(p.name), key: hashOf(p.source) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

const textOf = ({ summary, body }) => `${summary}. ${body}`.slice(0, MAX_CHARACTERS);

/** The most frequent tags; packages with none of them are left out. */
function tagged(all) {
  const counts = new Map();
  for (const { tags } of all) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const kept = new Set(
    [...counts]
      .filter(([tag]) => !tag.endsWith('::TODO'))
      .sort((a, b) => b[1] - a[1])
      .slice(0, LABELS)
      .map(([tag]) => tag),
  );
  return all
    .map((p) => ({ ...p, tags: p.tags.filter((tag) => kept.has(tag)) }))
    .filter(({ tags }) => tags.length > 0)
    .map((p) => ({ source: p.source, row: { text: textOf(p), tags: p.tags } }));
}

/** The decimal logarithm of the installed size in KiB. */
function sized(all) {
  return all
    .filter(({ size }) => size > 0)
    .map((p) => ({
      source: p.source,
      row: { text: textOf(p), size: Number(Math.log10(p.size).toFixed(4)) },
    }));
}

/** Every second summary is that of another package of the same section and split. */
function paired(all) {
  const last = new Map();
  const rows = [];
  for (const p of all) {
    const group = `${p.label} ${splitOf(p.source)}`;
    const other = last.get(group);
    last.set(group, p);
    const same = rows.length % 2 === 0;
    if (!same && !other) continue;
    const { summary } = same ? p : other;
    rows.push({
      source: p.source,
      row: { summary, description: p.body.slice(0, MAX_CHARACTERS), match: same ? 'yes' : 'no' },
    });
  }
  return rows;
}
