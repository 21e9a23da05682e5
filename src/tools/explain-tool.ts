import { t } from '../../base/l10n';
import { readScalars } from '../../runs/curve/scalars';
import type { Contributes } from '../manifest/declared';
import { findRun } from './find-runs';
import { optionalText } from './input';
import { requireWanted, type Tool, workspaceFolders } from './tool';
import { facts } from './tool-answer';
import { fully } from './tool-facts';

export const contributes: Contributes = {
  tools: {
    aurora_explain_run: {
      reference: 'auroraExplain',
      name: 'Explain Run',
      description: 'Everything that a run recorded',
      forModel:
        "Returns everything that an AuroRA run recorded, to explain how it went and what to change: all settings, data facts, evaluations, the loss, learning rate and gradient norm at points of the curve, warnings and alarms, why it stopped or failed, the trivial baseline, test scores, device and checkpoints. The numbers are those of the run's files; quote them, do not estimate others.",
      icon: 'info',
      tag: 'evaluation',
      input: {
        run: { type: 'string', description: 'Id, folder or display name of the run (default: the newest)' },
      },
    },
  },
};

export const explainTool: Tool = {
  prepare: () => Promise.resolve({ invocationMessage: t('Reading the run') }),
  async answer({ store }, input, token) {
    const { folder } = findRun(await store.runs(), workspaceFolders(), optionalText(input, 'run'));
    requireWanted(token);
    const entry = await store.refreshRun(folder);
    return facts(fully(entry, readScalars(folder)));
  },
};
