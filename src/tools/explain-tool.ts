import { t } from '../base/l10n';
import { readScalars } from '../runs/curve/scalars';
import { findRun } from './find-runs';
import { optionalText } from './input';
import { requireWanted, type Tool } from './tool';
import { fully } from './tool-facts';

export const explainTool: Tool = {
  prepare: (host, input) =>
    Promise.resolve({
      doing: t('Reading the run'),
      async answer() {
        const { folder } = findRun(await host.runs(), host.folders, optionalText(input, 'run'));
        requireWanted(host);
        return fully(await host.refresh(folder), readScalars(folder));
      },
    }),
};
