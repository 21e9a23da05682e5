import { spread } from './study.mjs';

const NAMES = { 8: '8 bits', 4: '4 bits' };
const nameOf = (bits) => NAMES[bits] ?? 'float32';
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

/** The study's numbers as Markdown. */
export function page({ machine, steps, runs }) {
  const [{ of }] = runs;
  const cost = (bits) => of.find((r) => r.bits === bits).quantization;
  const before = [
    ['float32', cost(8).float32, undefined],
    ...[8, 4].map((bits) => [nameOf(bits), cost(bits).quantized, cost(bits).float32]),
  ];
  return [
    `Measured on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}; ${of[0].last.examples.toLocaleString('en')} validation texts.`,
    '',
    '**The model before training.**',
    '',
    '| weights | validation loss | difference | perplexity |',
    '| --- | ---: | ---: | ---: |',
    ...before.map(
      ([name, m, full]) =>
        `| ${name} | ${m.loss.toFixed(4)} | ${full ? signed(m.loss - full.loss) : ''} | ${Math.exp(m.loss).toFixed(2)} |`,
    ),
    '',
    `**After ${steps} steps** (${of[0].method}).`,
    '',
    '| seed | float32 | 8 bits | difference | 4 bits | difference |',
    '| ---: | ---: | ---: | ---: | ---: | ---: |',
    ...runs.map(({ seed, of: [full, eight, four] }) => {
      const cells = [eight, four].map(
        ({ last }) => `${last.loss.toFixed(4)} | ${signed(last.loss - full.last.loss)}`,
      );
      return `| ${seed} | ${full.last.loss.toFixed(4)} | ${cells.join(' | ')} |`;
    }),
    ...(runs.length > 1 ? ['', paired(runs)] : []),
  ].join('\n');
}

/** Over the seeds. */
function paired(runs) {
  const [{ of }] = runs;
  return `Paired difference, mean ± standard deviation over ${runs.length} seeds: ${[1, 2]
    .map(
      (i) =>
        `${nameOf(of[i].bits)} ${spread(
          runs.map((r) => r.of[i].last.loss - r.of[0].last.loss),
          4,
          true,
        )}`,
    )
    .join(', ')}.`;
}
