import type { RunEntry } from '../runs/store';
import type { Row } from '../words/run-row';

/** Rows that are drawn once more after their subject is gone. */
export const GONE_SWEEP: Row = {
  label: '',
  description: '',
  icon: { id: 'layers' },
  capabilities: [],
  spoken: '',
};

export const goneRun = (folder: string): RunEntry => ({
  folder,
  id: folder,
  experiment: '',
  state: 'damaged',
  user: {},
});

export const goneExperiment = (file: string) => ({ name: file, exists: false, runs: [], hasSweep: false });
