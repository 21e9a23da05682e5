import type { ClusterSettings } from '../../experiment/cluster';
import { setting } from './settings';

/** The setting aurora.cluster, as far as it is an object: `aurora sweep` checks it like an experiment's section. */
export function clusterSetting(): ClusterSettings {
  const value = setting('cluster');
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
