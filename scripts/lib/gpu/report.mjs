import { table as devicesTable, title } from '../bench/devices-report.mjs';
import { markdownTable } from '../bench/sections.mjs';

const whole = (v) => Math.round(v).toLocaleString('en-US');
const mb = (v) => (v === undefined ? '–' : `${whole(v)} MB`);
const small = (v) => (v === null ? 'not finite' : v.toExponential(1));

/**
 * True if every number that was computed is right. A way that the device does not support counts as an error for
 * float32 only.
 */
export const passed = ({ references, steps, devices }) =>
  devices.problem === undefined &&
  references.every((r) => r.problem === undefined && r.done.length > 0 && r.done.every((f) => f.agrees)) &&
  steps.every(({ rows }) => rows[0].problem === undefined && rows.every(isRight));

const isRight = ({ failed, problem, gap, tolerance }) =>
  problem === undefined ? gap <= tolerance : failed !== true;

/**
 * The section of docs/devices.md.
 *
 * @param {object} check
 * @param {string} check.date
 * @param {object} check.machine
 * @param {{ name: string, driver?: string, software: boolean } | undefined} check.adapter what WebGPU uses
 * @param {string[]} check.cards what NVIDIA's tool lists
 * @param {{ name: string, problem: string }[]} check.absent
 * @param {object[]} check.references
 * @param {{ name: string, rows: object[] }[]} check.steps
 * @param {object} check.devices of bench:devices
 */
export function report(check) {
  const { date, machine, minutes, absent, references, steps, devices } = check;
  return [
    `\`npm run check:gpu\` wrote this on ${date}, in ${Math.ceil(minutes)} minutes.`,
    where(check),
    `**Reference files**: losses, logits, gradients, twelve optimizer steps and merged weights beside PyTorch's in float64.`,
    referenceTable(references),
    ...references.flatMap(failuresOf),
    ...steps.flatMap(({ name, rows }) => [
      `**Training steps on ${name}** (${title(check.case)}): "loss" is the largest difference to the same steps on the CPU. Memory on the GPU is what the process added to it.`,
      stepTable(rows),
    ]),
    devices.problem === undefined
      ? `**Devices** (as \`npm run bench:devices\`, ${devices.rounds} rounds):\n\n${devicesTable(devices)}`
      : `**Devices** could not be timed: ${devices.problem}`,
    [
      `- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}.`,
      ...absent.map(({ name, problem }) => `- Not checked: ${name} (${problem})`),
    ].join('\n'),
  ].join('\n\n');
}

function where({ adapter, cards, software }) {
  if (software)
    return (
      `**On a software renderer.** WebGPU ran on ${described(adapter)}, which computes on the CPU: this shows that the ` +
      "code works, and nothing about a GPU's speed, memory or driver. **The check has not run on a real GPU yet.**"
    );
  const found = cards.length > 0 ? cards : [described(adapter)];
  return `GPU: ${found.join('; ')}.`;
}

const described = ({ name, driver }) => (driver ? `${name} (${driver})` : name);

function referenceTable(references) {
  const rows = references.map(({ name, done, of, seconds, problem }) => [
    name,
    `${done.length} of ${of}`,
    `${done.filter((f) => f.agrees).length}`,
    problem === undefined ? worst(done) : problem,
    `${whole(seconds)} s`,
  ]);
  return markdownTable(
    ['engine and device', 'compared', 'agree', 'worst error, as a share of its tolerance', 'time'],
    rows,
  );
}

function worst(done) {
  const all = done.flatMap(({ file, worst: findings }) => findings.map((f) => ({ ...f, file })));
  const share = ({ error, tolerance }) => (error === null ? Infinity : error / tolerance);
  const most = all.reduce((a, b) => (a && share(a) >= share(b) ? a : b), undefined);
  if (!most) return '–';
  return `${most.kind} of ${most.file}: ${small(most.error)}, ${Math.round(100 * share(most))}%`;
}

const failuresOf = ({ name, done }) =>
  done
    .filter((f) => !f.agrees)
    .map(({ file, failures }) => {
      const [{ field, problem, error, tolerance }] = failures;
      return `- **${name} is wrong on ${file}**: ${field}: ${problem ?? `error ${small(error)}, tolerance ${small(tolerance)}`}`;
    });

function stepTable(rows) {
  return markdownTable(
    ['', 'loss', 'step, median', 'on the CPU', 'host memory', 'GPU memory'],
    rows.map((row) =>
      row.problem === undefined
        ? [
            row.name,
            row.gap <= row.tolerance ? small(row.gap) : `**${small(row.gap)}, too much**`,
            `${whole(row.step)} ms`,
            `${whole(row.cpuStep)} ms`,
            mb(row.hostMB),
            mb(row.gpuMB),
          ]
        : [row.name, row.problem, '–', '–', '–', '–'],
    ),
  );
}
