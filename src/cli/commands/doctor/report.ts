import type { DoctorLine, MachineCheck, MachineFacts, PlaceCheck } from '../../../protocol/doctor';
import { bytes, shortNumber } from '../../../base/number-text';
import { table } from '../../table';

/** Printed before the last measurement. */
export const RATES = 'Measuring what `aurora inspect` estimates the time of a step with…\n';

/** A line of the check as terminal text; ends with a line break, or is empty. */
export function doctorText(line: DoctorLine): string {
  switch (line.kind) {
    case 'system':
      return system(line);
    case 'checking':
      return `Measuring ${line.engine} on ${line.device} (${line.number} of ${line.of}): matrix products, then training steps…\n`;
    case 'place':
      return `  ${line.problem ?? `${shortNumber(line.gflops!)} GFLOP/s, ${shortNumber(line.stepsPerSecond!)} steps/s`}\n`;
    case 'report':
      return report(line);
  }
}

function system(facts: MachineFacts): string {
  const gpus = facts.gpus.map((g) => [
    '  graphics',
    [
      g.software ? `${g.name} (software renderer)` : g.name,
      g.driver && `driver ${g.driver}`,
      g.memory && bytes(g.memory),
      g.float16 && 'float16',
    ]
      .filter(Boolean)
      .join(', '),
  ]);
  return `${[
    `Machine  ${facts.platform}`,
    ...table(
      [
        ['  CPU', `${facts.cpu}, ${facts.cores} cores`],
        ['  memory', `${bytes(facts.freeMemory)} free of ${bytes(facts.totalMemory)}`],
        ...(gpus.length ? gpus : [['  graphics', 'none that WebGPU or CUDA could use']]),
      ],
      '   ',
    ),
    '',
  ].join('\n')}\n`;
}

function report({ places, facts, step }: MachineCheck): string {
  const measured = places.filter((p) => p.gflops !== undefined);
  const rows = measured.map((p) => [
    `  ${p.engine}`,
    p.device,
    shortNumber(p.gflops!),
    `${p.size} × ${p.size}`,
    shortNumber(p.stepsPerSecond!),
  ]);
  const missing = [
    ...facts.missing.map((m) => ({ problem: m.what, hint: m.hint })),
    ...places.filter(failed),
  ];
  return `${[
    '',
    'Measured',
    ...table([['  engine', 'device', 'GFLOP/s', 'matrices', 'steps/s'], ...rows], '   '),
    `  A step: ${step}.`,
    ...(missing.length ? ['', 'Missing'] : []),
    ...missing.map((m) => `  ${m.problem}${m.hint ? `\n    ${m.hint}` : ''}`),
  ].join('\n')}\n`;
}

const failed = (p: PlaceCheck): p is PlaceCheck & { problem: string } => p.problem !== undefined;
