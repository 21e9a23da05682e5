import { t } from '../../base/l10n';

import { engineWords, placeName } from '../../protocol/device-words';
import type { MachineCheck, PlaceCheck } from '../../protocol/doctor';
import { COMMAND } from '../ids';
import { bySpeed, fastest, gpuText, ratesText, stepsText } from '../../protocol/reports/machine-report';
import type { MachineReport } from '../launcher/client';
import { ago, bytes } from '../words/format';
import type { Row } from '../words/run-row';

/** A row of the Machine view, with its details. */
export interface MachineRow extends Row {
  id: string;
  tooltip: string;
  /** The command for a click. */
  command?: string;
}

/** The machine's equipment for training. Missing parts come first, with the next step. */
export function machineRows(
  report: MachineReport,
  extensionVersion: string,
  checked?: { check: MachineCheck; now: number; locale: string },
): MachineRow[] {
  const { node, runtime, problems, freeMemory, totalMemory, cores } = report;
  const from = {
    setting: t('from the setting aurora.nodePath'),
    extension: t('from the extension'),
    editor: t('from the editor'),
  };
  return [
    ...problems.map((p, i) =>
      row(`problem:${i}`, p.message, p.hint, { id: 'warning', color: 'problemsWarningIcon.foreground' }),
    ),
    row(
      'memory',
      t('Memory'),
      t('{0} free of {1}', bytes(freeMemory), bytes(totalMemory)),
      { id: 'server' },
      t(
        'Training needs about the size of the model plus the activations that a step keeps for its gradients.',
      ),
    ),
    row('cores', t('Cores'), String(cores), { id: 'circuit-board' }),
    ...(checked ? checkedRows(checked) : [unchecked()]),
    ...(node
      ? [row('node', 'Node', `${node.version} ${from[node.from]}`, { id: 'terminal' }, node.path)]
      : []),
    ...(runtime ? [row('runtime', 'ONNX Runtime', runtime.version, { id: 'zap' }, runtime.path)] : []),
    row('extension', 'AuroRA Lab', extensionVersion, { id: 'extensions' }),
  ];
}

const unchecked = (): MachineRow => ({
  ...row(
    'check',
    t('Devices'),
    t('not measured yet'),
    { id: 'pulse' },
    t('Run Check This Machine to measure them.'),
  ),
  command: COMMAND.checkMachine,
});

/** GPUs and the engines that train on them, as found by the last check, fastest first. */
function checkedRows({
  check,
  now,
  locale,
}: {
  check: MachineCheck;
  now: number;
  locale: string;
}): MachineRow[] {
  const when = t('Measured {0}.', ago(check.at, now, locale));
  const best = fastest(check);
  return [
    ...check.facts.gpus.map((g, i) => row(`gpu:${i}`, g.name, gpuText(g), { id: 'device-desktop' })),
    ...bySpeed(check).map((p) => placeRow(p, p === best, [t('Step: {0}.', check.step), when])),
    ...check.facts.missing.map((m, i) => row(`missing:${i}`, m.what, m.hint, { id: 'info' })),
  ];
}

/** A side bar is narrow: the name used in the setting and the speed come first. The rest is in the tooltip. */
function placeRow(of: PlaceCheck, best: boolean, more: string[]): MachineRow {
  const { engine, device, problem, hint } = of;
  const name = placeName(of);
  const [icon, words, tooltip] =
    problem === undefined
      ? [
          best ? 'rocket' : 'dashboard',
          best ? t('{0}, fastest', stepsText(of)) : stepsText(of),
          [t('{0}: {1}', name, ratesText(of)), ...more].join('\n'),
        ]
      : ['circle-slash', t('not available'), t('{0}: {1}', name, [problem, hint].filter(Boolean).join(' '))];
  const description = `${words} · ${engineWords(engine)}`;
  return {
    ...row(`place:${engine}:${device}`, device, description, { id: icon }, tooltip),
    spoken: t('{0}: {1}', name, words),
  };
}

const row = (
  id: string,
  label: string,
  description: string,
  icon: Row['icon'],
  tooltip?: string,
): MachineRow => ({
  id,
  label,
  description,
  icon,
  capabilities: [id.split(':')[0]],
  spoken: `${label}: ${description}`,
  tooltip: tooltip ?? `${label}: ${description}`,
});
