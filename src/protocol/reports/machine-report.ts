import { t } from '../../base/l10n';
import { bytes, shortNumber } from '../../base/number-text';
import { placeName } from '../device-words';
import type { DoctorLine, GpuFacts, MachineCheck, MachineFacts, PlaceCheck } from '../doctor';
import type { Part, Report, ReportTable } from './report';

/** The devices, fastest first; those that could not be measured come last. */
export const bySpeed = ({ places }: MachineCheck): PlaceCheck[] =>
  places.toSorted((a, b) => (b.stepsPerSecond ?? -1) - (a.stepsPerSecond ?? -1));

/** The device that trains fastest; undefined if none could be measured. */
export const fastest = (check: MachineCheck): PlaceCheck | undefined =>
  bySpeed(check).find((p) => p.stepsPerSecond !== undefined);

/** The result in one sentence. */
export function machineSummary(check: MachineCheck): string {
  const best = fastest(check);
  if (!best) return t('No device on this machine can train. See the report for details.');
  return t('Fastest device: {0}, {1} steps/s.', placeName(best), shortNumber(best.stepsPerSecond!));
}

/** "12.3 steps/s"; empty if not measured. */
export const stepsText = ({ stepsPerSecond }: PlaceCheck): string =>
  stepsPerSecond === undefined ? '' : t('{0} steps/s', shortNumber(stepsPerSecond));

/** "12.3 steps/s · 118 GFLOP/s" */
export const ratesText = (place: PlaceCheck): string =>
  [stepsText(place), place.gflops !== undefined && t('{0} GFLOP/s', shortNumber(place.gflops))]
    .filter(Boolean)
    .join(' · ');

/** "driver NVIDIA 550.54 · 81 GB · float16" */
export const gpuText = ({ software, driver, memory, float16 }: GpuFacts): string =>
  [software && t('software renderer'), driver, memory !== undefined && bytes(memory), float16 && 'float16']
    .filter(Boolean)
    .join(' · ');

/** The device that is measured next, or the result of one; undefined for other lines. */
export function machineProgress(line: DoctorLine): string | undefined {
  if (line.kind === 'checking')
    return t('Measuring {0} ({1} of {2})…', placeName(line), line.number, line.of);
  return line.kind === 'place'
    ? t('{0}: {1}', placeName(line), stepsText(line) || t('not available'))
    : undefined;
}

/** The whole check. */
export const machineReport = (check: MachineCheck): Report => ({
  title: t('This machine'),
  parts: [
    t('Measured {0}.', new Date(check.at).toLocaleString()),
    factsTable(check.facts),
    ...measuredParts(check),
  ],
});

/** The parts of the report that a line completes. */
export function partsOfMachine(line: DoctorLine): Part[] {
  if (line.kind === 'system') return [{ heading: t('This machine') }, factsTable(line)];
  return line.kind === 'report' ? measuredParts(line) : [];
}

function factsTable({ platform, cpu, cores, freeMemory, totalMemory, gpus }: MachineFacts): ReportTable {
  const shown = gpus.map((gpu) => `${gpu.name} (${gpuText(gpu)})`);
  return {
    columns: ['', ''],
    rows: [
      [t('System'), platform],
      [t('CPU'), t('{0}, {1} cores', cpu, cores)],
      [t('Memory'), t('{0} free of {1}', bytes(freeMemory), bytes(totalMemory))],
      ...(shown.length > 0 ? shown : [t('none that WebGPU or CUDA can use')]).map((gpu) => [t('GPU'), gpu]),
    ],
  };
}

function measuredParts(check: MachineCheck): Part[] {
  const measured = bySpeed(check).filter((p) => p.stepsPerSecond !== undefined);
  const problems = [
    ...check.facts.missing.map(({ what, hint }) => [what, hint]),
    ...check.places.flatMap((p) =>
      p.problem === undefined ? [] : [[t('{0}: {1}', placeName(p), p.problem), p.hint ?? '']],
    ),
  ];
  return [
    { heading: t('Training speed') },
    measured.length > 0
      ? {
          columns: [
            t('Engine and device'),
            { number: t('Training steps/s') },
            { number: t('GFLOP/s') },
            { number: t('Matrix size') },
          ],
          rows: measured.map((p) => [
            placeName(p),
            shortNumber(p.stepsPerSecond!),
            shortNumber(p.gflops!),
            `${p.size} × ${p.size}`,
          ]),
        }
      : t('Nothing could be measured.'),
    t(
      'A step is the forward pass, backward pass and AdamW update of a small encoder: {0}. GFLOP/s is measured with float32 matrix products in the same engine.',
      check.step,
    ),
    ...(problems.length > 0
      ? [{ heading: t('Not available') }, { list: problems.map((words) => words.join(' ').trim()) }]
      : []),
  ];
}
