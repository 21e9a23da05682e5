/** Mean losses of this many steps are compared. */
const WINDOW = 10;
/** Models with a smaller cosine when all layers are in int8 are listed one by one. */
const LISTED = 0.995;

/**
 * The study's numbers as Markdown.
 *
 * @param summarize that of src/study/statistics
 */
export function page({ machine, references, untouched, curves, runs, steps }, summarize) {
  return [
    `Measured on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}.`,
    `**Accuracy and loss after ${steps ? `${steps} steps` : 'two epochs'}, int8 minus float32** (mean, 95% interval by Student's t over the seeds).`,
    differences(runs, summarize),
    '**Each pair of runs**, by seed.',
    pairs(runs),
    gradients(references, untouched),
    curve(curves),
  ].join('\n\n');
}

function differences(runs, summarize) {
  const rows = groups(runs).map(({ data, name, pairs: all }) => {
    const [{ full }] = all;
    const points = summarize(
      all.map(({ full, int8 }) => 100 * (int8.last.accuracy - full.last.accuracy)),
      100 / full.last.examples,
    );
    const loss = summarize(all.map(({ full, int8 }) => int8.last.loss - full.last.loss));
    const accuracy = summarize(all.map(({ full }) => 100 * full.last.accuracy));
    const interval = ({ mean, half }, digits) =>
      `${signed(mean, digits)} (${signed(mean - half, digits)} to ${signed(mean + half, digits)})`;
    return `| ${data} | ${name} | ${all.length} | ${accuracy.mean.toFixed(2)} | ${interval(points, 2)} | ${interval(loss, 4)} |`;
  });
  return [
    '| data | method | seeds | accuracy in float32, % | difference in points | difference of the loss |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}

function pairs(runs) {
  const all = groups(runs);
  const seeds = all[0].pairs.map(({ seed }) => seed);
  const cell = ({ full, int8 }) =>
    `${(100 * full.last.accuracy).toFixed(1)} → ${(100 * int8.last.accuracy).toFixed(1)}`;
  return [
    `| accuracy, %, float32 → int8 | ${seeds.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(seeds.length)}`,
    ...all.map(({ data, name, pairs: of }) => `| ${data}, ${name} | ${of.map(cell).join(' | ')} |`),
  ].join('\n');
}

/** The runs of a method on one data set, in pairs. */
function groups(runs) {
  const found = new Map();
  for (const { data, name, seed, precision, result } of runs) {
    const key = `${data}, ${name}`;
    if (!found.has(key)) found.set(key, { data, name, pairs: [] });
    const { pairs: of } = found.get(key);
    if (precision === 'float32') of.push({ seed, full: result });
    else of.at(-1).int8 = result;
  }
  return [...found.values()];
}

function gradients(references, untouched) {
  const sorted = references.toSorted((a, b) => a.all - b.all);
  const listed = sorted.filter(({ all, warnings }) => all < LISTED || warnings.length > 0);
  const least = Math.min(...references.map(({ cosine }) => cosine));
  const others = sorted.filter((r) => !listed.includes(r));
  const rows = listed.map(
    ({ name, all, cosine, warnings }) =>
      `| ${name} | ${all.toFixed(3)} | ${kept(warnings)} | ${cosine.toFixed(4)} |`,
  );
  return [
    `**Gradients on the ${references.length} reference models with layers in int8** (${untouched} more have none): the least cosine similarity of a tensor's gradients in int8 and float32.`,
    '',
    '| model | all layers in int8 | forward passes in float32 | as a run chooses |',
    '| --- | ---: | ---: | ---: |',
    ...rows,
    `| the other ${others.length}: least | ${Math.min(...others.map(({ all }) => all)).toFixed(4)} | none | ${Math.min(...others.map(({ cosine }) => cosine)).toFixed(4)} |`,
    '',
    `The least of all, as a run chooses: ${least.toFixed(4)}.`,
  ].join('\n');
}

function kept(warnings) {
  const [, some, of] = /^The forward pass of (\d+) of (\d+) /.exec(warnings[0] ?? '') ?? [];
  if (some) return `${some} of ${of}`;
  return warnings.length ? 'all' : 'none';
}

function curve(curves) {
  const [full, int8] = ['float32', 'int8'].map((p) => curves.find((c) => c.precision === p).result);
  const windows = Array.from({ length: Math.ceil(full.length / WINDOW) }, (_, i) => i * WINDOW);
  const mean = (losses, from) => {
    const part = losses.slice(from, from + WINDOW);
    return part.reduce((a, b) => a + b, 0) / part.length;
  };
  const largest = Math.max(...full.map((loss, i) => Math.abs(int8[i] - loss) / loss));
  return [
    `**The loss of a 12-layer encoder** of width 768, mean of ${WINDOW} steps each; a single step's differs by up to ${(100 * largest).toFixed(2)}%.`,
    '',
    '| steps | float32 | int8 | difference |',
    '| --- | ---: | ---: | ---: |',
    ...windows.map((from) => {
      const [a, b] = [mean(full, from), mean(int8, from)];
      return `| ${from + 1} to ${Math.min(from + WINDOW, full.length)} | ${a.toFixed(4)} | ${b.toFixed(4)} | ${signed(b - a, 4)} |`;
    }),
  ].join('\n');
}

const signed = (value, digits) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
