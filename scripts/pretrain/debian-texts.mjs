/**
 * Prepares the language model's pretraining: Debian's package descriptions as token ids, its tokenizer, and the data of
 * the demo, from sections that are not pretrained on. Run once, on Debian 13 after `apt-get -o Acquire::Languages=en
 * update`; see README.md.
 *
 *     node scripts/pretrain/debian-texts.mjs [--lists FOLDER OF APT'S INDEXES]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main, say } from '../lib/console.mjs';
import { descriptions, gzip, packages, releaseName, splitOf } from '../lib/debian-index.mjs';
import { ROOT } from '../lib/run.mjs';
import { trainTokenizer } from './tokenizer.mjs';

const OUT = join(ROOT, '.cache', 'pretrain');
const MODEL = join(ROOT, 'demo', 'models', 'debian-llama');

/** Adapted to, and not pretrained on: nor is any package whose source package has another one in these sections. */
const UNSEEN = ['games', 'graphics', 'sound', 'video'];

/** Sections in which descriptions are prose, not the same few sentences for each library. */
const PRETRAINED =
  'admin comm database devel editors electronics fonts gnome hamradio httpd interpreters java kde kernel libs mail math ' +
  'misc net otherosfs python science shells tex text utils vcs web x11 xfce';

const LONGEST = { document: 1000, prompt: 240 };

await main(async () => {
  const { lists } = parseArgs({ options: { lists: { type: 'string' } } }).values;
  say(`Reading apt's indexes of ${releaseName(lists)} …`);
  const all = distinct(packages(lists), descriptions(lists));
  const unseen = all.filter(({ label }) => UNSEEN.includes(label));
  writeDemo(unseen);
  const excluded = new Set(unseen.map(({ source }) => source));
  const wanted = new Set(PRETRAINED.split(' '));
  const documents = all.filter(({ label, source }) => wanted.has(label) && !excluded.has(source));
  const texts = { train: [], validation: [] };
  for (const { source, summary, body } of documents)
    texts[splitOf(source)].push(`${summary}\n${cut(body, LONGEST.document)}`);
  mkdirSync(OUT, { recursive: true });
  mkdirSync(MODEL, { recursive: true });
  const encode = await trainTokenizer(texts.train, MODEL, OUT);
  for (const [split, part] of Object.entries(texts)) {
    const ids = await encode(split === 'train' ? shuffled(part) : part);
    writeFileSync(join(OUT, `${split}.u16`), ids);
    say(`${split}: ${part.length} descriptions, ${ids.length} tokens to pretrain on`);
  }
});

/** One package for each source package and section, without repeated descriptions. */
function distinct(all, described) {
  const seen = new Set();
  const rows = [];
  for (const one of all) {
    const { summary, body } = described.get(one.name) ?? {};
    const keys = [`${one.source}|${one.label}`, `text ${body}`, `summary ${summary}`];
    if (!body || keys.some((key) => seen.has(key))) continue;
    keys.forEach((key) => seen.add(key));
    rows.push({ ...one, summary, body });
  }
  return rows;
}

/** demo/data: the description as a prompt, the summary as its completion. */
function writeDemo(rows) {
  const splits = { train: [], validation: [] };
  for (const { name, source, summary, body } of rows) {
    const prompt = `${cut(body, LONGEST.prompt)}\nSummary:`;
    splits[splitOf(source)].push(JSON.stringify({ prompt, completion: ` ${summary}`, package: name }));
  }
  for (const [split, lines] of Object.entries(splits)) {
    const file = join(ROOT, 'demo', 'data', `debian-summaries-${split}.jsonl.gz`);
    writeFileSync(file, gzip(`${lines.join('\n')}\n`));
    say(`${split}: ${lines.length} descriptions to adapt to`);
  }
}

/** At most `length` characters, whole words. */
function cut(text, length) {
  return text.length <= length ? text : text.slice(0, text.lastIndexOf(' ', length)).trimEnd();
}

/** In an order that does not follow the alphabet: by a fixed multiplicative generator (Fisher and Yates). */
function shuffled(items) {
  const out = [...items];
  let state = 1;
  for (let i = out.length - 1; i > 0; i--) {
    state = (state * 48271) % 2147483647;
    const j = state % (i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}
