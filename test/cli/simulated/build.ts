import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundles } from '../../../scripts/lib/bundles.mjs';

/** The programs with the scheduler of the test in place of Slurm. */
const simulated: Plugin = {
  name: 'simulated',
  setup({ onResolve, onEnd }) {
    let isReplaced = false;
    onResolve({ filter: /\/executors\/slurm\/slurm-cluster$/ }, () => {
      isReplaced = true;
      return { path: resolve(import.meta.dirname, 'clusters.ts') };
    });
    onEnd(() => {
      if (!isReplaced)
        throw new Error('No program imports executors/slurm/slurm-cluster: the real Slurm would be used.');
    });
  },
};

/** @returns the path of cli.cjs in the folder */
export async function buildWithSimulatedCluster(folder: string): Promise<string> {
  const [host] = bundles(folder);
  await build({ ...host, plugins: [simulated, ...(host.plugins ?? [])] });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return join(folder, 'cli.cjs');
}
