import type { MachineReport } from '../trainer/client';
import { bytes } from './format';
import type { Row } from './run-row';
import type { Translate } from '../translate';

/** A row of the Machine view, with what else there is to say about it. */
export interface MachineRow extends Row {
  id: string;
  tooltip: string;
}

/** What this machine has for training, and first of all what it lacks, with the next step. */
export function machineRows(report: MachineReport, extensionVersion: string, t: Translate): MachineRow[] {
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
      t('Training needs about the size of the model and of what a step keeps for its gradients.'),
    ),
    row('cores', t('Cores'), String(cores), { id: 'circuit-board' }),
    ...(node
      ? [row('node', 'Node', `${node.version} ${from[node.from]}`, { id: 'terminal' }, node.path)]
      : []),
    ...(runtime ? [row('runtime', 'ONNX Runtime', runtime.version, { id: 'zap' }, runtime.path)] : []),
    row('extension', 'AuroRA Lab', extensionVersion, { id: 'extensions' }),
  ];
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
