import type { RunEntry } from '../../runs/store';
import type { MachineReport } from '../../launcher/client';
import type { DeviceSettings } from '../../launcher/device-arguments';
import { codeBlock } from '../../../base/escape';
import { bytes } from '../../words/format';
import { sortedJson } from '../../../base/sorted-json';

export interface Diagnostics {
  /** Name and version of the extension, the editor and so on. */
  versions: Record<string, string>;
  /** Undefined if it could not be determined; `machineError` then has the reason. */
  machine?: MachineReport;
  machineError?: string;
  /** The settings that select where runs compute. */
  device?: DeviceSettings;
  run?: RunEntry;
  /** The last lines of the run's trainer.log. */
  log?: string;
  home: string;
}

/**
 * The content of a problem report, as Markdown to paste into an issue. Contains no data or weights. The home folder,
 * which includes the user's name, is written as ~.
 */
export function diagnosticsText(d: Diagnostics): string {
  const sections = [
    ['## AuroRA diagnostics', ...Object.entries(d.versions).map(([name, v]) => `- ${name}: ${v}`)],
    machineLines(d),
    ...(d.run ? runLines(d.run, d.log) : []),
  ];
  return withoutHome(`${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`, d.home);
}

function machineLines({ machine, machineError, device }: Diagnostics): string[] {
  const wanted = device
    ? [
        `- Settings: engine ${device.engine}, device ${device.device}, fall back to CPU ${device.fallBackToCpu ? 'yes' : 'no'}`,
      ]
    : [];
  if (!machine) return ['### Machine', `Unknown: ${machineError ?? 'not requested.'}`, ...wanted];
  const { node, runtime, problems } = machine;
  return [
    '### Machine',
    `- Node: ${node ? `${node.version} from the ${node.from} (${node.path})` : 'none'}`,
    `- ONNX Runtime: ${runtime ? `${runtime.version} (${runtime.path})` : 'none'}`,
    `- Memory: ${bytes(machine.freeMemory)} free of ${bytes(machine.totalMemory)}`,
    `- Cores: ${machine.cores}`,
    ...wanted,
    ...problems.map((p) => `- Problem: ${p.message} ${p.hint}`),
  ];
}

function runLines({ folder, state, run, error }: RunEntry, log: string | undefined): string[][] {
  const failed = run?.events.findLast((e) => e.kind === 'failed');
  const told = error ?? failed;
  const last = (kind: 'device' | 'requested') => run?.events.findLast((e) => e.kind === kind);
  const device = last('device') ?? last('requested');
  const warnings =
    run?.events.filter((e) => e.kind === 'warning').map((e) => `- Warning: ${e.message}`) ?? [];
  return [
    [
      '### Run',
      `- Folder: ${folder}`,
      `- State: ${state}`,
      ...(run?.status ? [`- Status: ${JSON.stringify(run.status)}`] : []),
      ...(device ? [`- Device: ${JSON.stringify(device)}`] : []),
      ...(told ? [`- Error: ${told.message}${told.hint ? ` ${told.hint}` : ''}`] : []),
      ...warnings,
    ],
    ...(run ? [['### Settings', codeBlock(sortedJson(run.spec, 2), 'json')]] : []),
    ['### Trainer log, last lines', log ? codeBlock(log, '') : 'There is no trainer log.'],
  ];
}

/** Replaces the home folder, also in JSON's form of a Windows path, with doubled backslashes. */
function withoutHome(text: string, home: string): string {
  const spellings = [home.replaceAll('\\', '\\\\'), home].filter((h) => h.length > 1);
  return spellings.reduce((t, h) => t.replaceAll(h, '~'), text);
}
