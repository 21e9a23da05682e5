import { markdownTable } from './sections.mjs';

const COLUMNS = ['', 'median', '95th percentile', 'worst', 'goal'];
const ms = (value) => `${value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 })} ms`;
const row = (what, { median, p95, worst }, goal) => [what, ms(median), ms(p95), ms(worst), goal];
const count = (n) => n.toLocaleString('en-US');
const kb = (bytes) => `${count(Math.round(bytes / 1024))} KB`;

/** Its section in docs/benchmarks.md; omits parts that were not measured. */
export function editorReport({ numbers, machine, date, charts, runs, workbench, sizes }) {
  const rows = [];
  for (const line of workbench?.lines ?? []) {
    const opening = line.moment === 'opening';
    const when = opening ? ', while the window opens' : '';
    if (line.table) {
      const table = `table of ${count(line.table)} runs`;
      rows.push(
        row(`${table}: first rows${when}`, line.first, opening ? '' : 'worst ≤ 1 s'),
        row(`${table}: all rows${when}`, line.all, 'worst ≤ 5 s'),
      );
      if (!opening) rows.push(row(`${table}: frame while scrolling`, line.frame, 'worst ≤ 50 ms'));
      continue;
    }
    rows.push(
      line.activation
        ? row(`load and activate, VS Code ${line.activation}`, line, 'worst ≤ 100 ms')
        : line.errors
          ? row('first paint of Errors', line, 'worst ≤ 1 s')
          : row(`${count(line.tree)} runs listed${when}`, line, opening ? '' : 'worst ≤ 1 s'),
    );
  }
  if (runs)
    rows.push(
      [`first scan of ${count(runs.runs)} runs`, ms(runs.firstMs), '', '', '≤ 1 s'],
      ['second scan, nothing changed', ms(runs.againMs), '', '', ''],
      ['longest block of the host meanwhile', '', '', ms(runs.longestBlockMs), ''],
    );
  if (charts)
    rows.push(
      row(`frame while panning over ${count(charts.points)} points`, charts.pan, 'worst ≤ 50 ms'),
      row('from a record in the run folder to its point', charts.line, 'p95 ≤ 300 ms'),
    );
  const notes = [];
  if (workbench)
    notes.push(
      `Activation and the tree: measured ${numbers.starts} times, each in a new extension host with a new profile. Activation is measured
  from the request to activate the packaged extension, once the editor's own extensions have started, until it is done;
  the tree, from the click on the view's icon until it shows the number of runs; the table, at most 3 times, from the command
  to the first rows and to all of them, then a scroll of 400 pixels per frame. Tree and table are measured in VS Code 1.139, in
  a window that has started, on runs that nothing has read before and with an extension that is not active yet; and
  again as soon as a new window takes input, when the editor itself is still starting.`,
    );
  if (charts)
    notes.push(
      `Pan: the Run dashboard's page in Chromium without a GPU, 1000 × 900 pixels, one wheel step per frame; a frame's
  time is the interval to the next one, 16.7 ms at best. A record: written ${charts.records} times into a run's folder, read by
  the extension host's own reader, until the frame that draws it.`,
    );
  notes.push(
    `${date}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}, Node ${machine.node}.`,
  );
  const loads = Object.entries({ charts, runs, workbench })
    .filter(([, part]) => part)
    .map(([name, { others, load }]) => `${name} ${Math.round(100 * others)}% (load ${load.toFixed(1)})`);
  notes.push(`CPU use of other programs just before: ${loads.join(', ')}.`);
  return `## The extension

${markdownTable(COLUMNS, rows)}
${sizes ? `\n${sizeTable(sizes)}\n` : ''}
${notes.map((note) => `- ${note}`).join('\n')}
`;
}

const sizeTable = (sizes) =>
  markdownTable(
    ['packaged', 'size', 'compressed'],
    sizes.map(({ what, bytes, gzip }) => [what, kb(bytes), kb(gzip)]),
  );
