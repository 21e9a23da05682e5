import { spread } from './study.mjs';

/** The study's numbers as Markdown. */
export function page({ machine, references, differences, speed, runs, steps }) {
  return [
    `Measured on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}; webgpu is the machine's graphics card or software renderer.`,
    '',
    '**One step: mixed relative to float32, taking turns** (below 1 is faster or smaller).',
    '',
    '| device | encoder:batch×length | steps each | time | CPU time | peak memory |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...speed.map(
      (s) =>
        `| ${s.device} | ${s.name} | ${s.rounds} | ${s.time.toFixed(2)} | ${s.cpuTime.toFixed(2)} | ${s.memory.toFixed(2)} |`,
    ),
    '',
    '**Loss and gradients of one step on the reference models**, relative to float32 on the CPU; gradients as ‖g − g′‖ / ‖g‖ over all tensors, loss scale 65,536.',
    '',
    `| model | ${Object.keys(differences)
      .map((d) => `loss, ${d} | gradients, ${d}`)
      .join(' | ')} |`,
    `| --- |${Object.keys(differences)
      .map(() => ' ---: | ---: |')
      .join('')}`,
    ...references.map((name, i) => {
      const cells = Object.values(differences).flatMap((d) =>
        [d[i].loss, d[i].gradient].map((v) => v.toExponential(1)),
      );
      return `| ${name} | ${cells.join(' | ')} |`;
    }),
    '',
    `**The demo's task** (USE-lite, AuroRA of rank 2, ${steps} steps of 32, on the CPU, last evaluation on ${runs[0].full.examples.toLocaleString('en')} examples).`,
    '',
    '| seed | loss, float32 | loss, mixed | difference | accuracy, float32 | accuracy, mixed | difference in points |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...runs.map(({ seed, full, mixed }) => {
      const accuracy = (m) => `${(100 * m.accuracy).toFixed(1)}%`;
      return `| ${seed} | ${full.loss.toFixed(5)} | ${mixed.loss.toFixed(5)} | ${signed(mixed.loss - full.loss, 5)} | ${accuracy(full)} | ${accuracy(mixed)} | ${signed(100 * (mixed.accuracy - full.accuracy), 1)} |`;
    }),
    '',
    `Paired difference, mean ± standard deviation over ${runs.length} seeds: loss ${spread(
      runs.map((r) => r.mixed.loss - r.full.loss),
      5,
      true,
    )}, accuracy ${spread(
      runs.map((r) => 100 * (r.mixed.accuracy - r.full.accuracy)),
      2,
      true,
    )} points.`,
  ].join('\n');
}

const signed = (value, digits) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
