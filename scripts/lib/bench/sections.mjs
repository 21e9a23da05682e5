import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../run.mjs';

const PATH = join(ROOT, 'docs', 'benchmarks.md');
const TITLE = '# Benchmarks';
/** In file order; the first and the last, `large` and `sdxl` are written by hand. */
const SECTIONS = [
  'summary',
  'training',
  'memory',
  'devices',
  'scaling',
  'opening',
  'runs',
  'cluster',
  'language',
  'experts',
  'large',
  'sdxl',
  'data',
  'editor',
  'about',
];
const begin = (name) => `<!-- ${name}: begin -->`;
const end = (name) => `<!-- ${name}: end -->`;

/**
 * Writes the section of one benchmark in docs/benchmarks.md and keeps the others.
 * @param {string} name of SECTIONS
 * @param {string} markdown including its heading
 */
export async function writeSection(name, markdown) {
  const before = existsSync(PATH) ? readFileSync(PATH, 'utf8') : '';
  const parts = SECTIONS.map((section) => {
    const text = section === name ? markdown : between(before, section);
    return text === undefined ? undefined : `${begin(section)}\n\n${text.trim()}\n\n${end(section)}`;
  });
  const whole = [TITLE, ...parts.filter(Boolean)].join('\n\n');
  mkdirSync(dirname(PATH), { recursive: true });
  const { format, resolveConfig } = await import('prettier');
  writeFileSync(PATH, await format(`${whole}\n`, { ...(await resolveConfig(PATH)), parser: 'markdown' }));
}

function between(text, name) {
  const [from, to] = [text.indexOf(begin(name)), text.indexOf(end(name))];
  return from < 0 || to < from ? undefined : text.slice(from + begin(name).length, to);
}

/** A Markdown table; the first column is left-aligned, the others right-aligned. */
export function markdownTable(columns, rows) {
  const widths = columns.map((c, i) => Math.max(3, c.length, ...rows.map((r) => r[i].length)));
  const line = (cells) =>
    `| ${cells.map((c, i) => (i ? c.padStart(widths[i]) : c.padEnd(widths[i]))).join(' | ')} |`;
  const rule = `| ${widths.map((w, i) => (i ? `${'-'.repeat(w - 1)}:` : '-'.repeat(w))).join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** A ratio; a dash if the other side was not measured. */
export const share = (a, b) => (b === undefined ? '–' : `${(a / b).toFixed(2)}×`);
