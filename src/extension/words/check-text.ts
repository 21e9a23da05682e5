import { shortNumber } from '../../base/number-text';
import { t } from '../../base/l10n';
import { placeWords } from '../../protocol/device-words';
import type { DoctorLine, GpuFacts, MachineCheck, PlaceCheck } from '../../protocol/doctor';
import { escape, table } from '../markdown';
import { bytes } from './format';
import { programLine } from '../launcher/program-line';

/** A line of `aurora doctor --json`. */
export const parseDoctorLine = (line: string): DoctorLine | undefined =>
  programLine(line, ['system', 'checking', 'place', 'report']);

/** The devices, fastest first; those that could not be measured come last. */
export const bySpeed = ({ places }: MachineCheck): PlaceCheck[] =>
  places.toSorted((a, b) => (b.stepsPerSecond ?? -1) - (a.stepsPerSecond ?? -1));

/** The device that trains fastest; undefined if none could be measured. */
export const fastest = (check: MachineCheck): PlaceCheck | undefined =>
  bySpeed(check).find((p) => p.stepsPerSecond !== undefined);

/** The message shown when the check is done. */
export function checkSummary(check: MachineCheck): string {
  const best = fastest(check);
  if (!best) return t('No device on this machine can train. See the report for details.');
  return t('Fastest device: {0}, {1} steps/s.', placeWords(best), shortNumber(best.stepsPerSecond!));
}

/** "12.3 steps/s"; empty if not measured. */
export const stepsText = ({ stepsPerSecond }: PlaceCheck): string =>
  stepsPerSecond === undefined ? '' : t('{0} steps/s', shortNumber(stepsPerSecond));

/** "12.3 steps/s · 118 GFLOP/s" */
export const ratesText = (place: PlaceCheck): string =>
  [stepsText(place), place.gflops !== undefined && t('{0} GFLOP/s', shortNumber(place.gflops))]
    .filter(Boolean)
    .join(' · ');

/** "cpu: 12.3 steps/s", or that it cannot be used. */
export const placeProgress = (place: PlaceCheck): string =>
  t('{0}: {1}', placeWords(place), stepsText(place) || t('not available'));

/** "driver NVIDIA 550.54 · 81 GB · float16" */
export const gpuText = ({ software, driver, memory, float16 }: GpuFacts): string =>
  [software && t('software renderer'), driver, memory !== undefined && bytes(memory), float16 && 'float16']
    .filter(Boolean)
    .join(' · ');

/** The complete check as Markdown. */
export function checkMarkdown(check: MachineCheck): string {
  const { facts, step, at } = check;
  const places = bySpeed(check);
  const gpus = facts.gpus.map((g) => [t('GPU'), `${escape(g.name)} (${gpuText(g)})`]);
  const rows = [
    [t('System'), facts.platform],
    [t('CPU'), t('{0}, {1} cores', escape(facts.cpu), facts.cores)],
    [t('Memory'), t('{0} free of {1}', bytes(facts.freeMemory), bytes(facts.totalMemory))],
    ...(gpus.length ? gpus : [[t('GPU'), t('none that WebGPU or CUDA can use')]]),
  ];
  const measured = places.filter((p) => p.stepsPerSecond !== undefined);
  const problems = [
    ...facts.missing.map((m) => ({ title: m.what, hint: m.hint })),
    ...places.flatMap((p) =>
      p.problem === undefined ? [] : [{ title: `**${placeWords(p)}**: ${escape(p.problem)}`, hint: p.hint }],
    ),
  ];
  return `${[
    `# ${t('This machine')}`,
    t('Measured {0}.', new Date(at).toLocaleString()),
    table(['', ''], rows, false),
    `## ${t('Training speed')}`,
    measured.length
      ? table(
          [t('Engine and device'), t('Training steps/s'), t('GFLOP/s'), t('Matrix size')],
          measured.map((p) => [
            placeWords(p),
            shortNumber(p.stepsPerSecond!),
            shortNumber(p.gflops!),
            `${p.size} × ${p.size}`,
          ]),
        )
      : t('Nothing could be measured.'),
    t(
      'A step is the forward pass, backward pass and AdamW update of a small encoder: {0}. GFLOP/s is measured with float32 matrix products in the same engine.',
      step,
    ),
    ...(problems.length ? [`## ${t('Not available')}`] : []),
    problems.map(({ title, hint }) => `- ${title}${hint ? `\n  ${hint}` : ''}`).join('\n'),
  ].join('\n\n')}\n`;
}
