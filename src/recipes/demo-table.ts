import { HEAD_ALONE } from '../experiment/methods';
import { PAPER } from './paper-data';
import { auroraOfRank, DEMO, lora, type PaperTable, type TableExperiment } from './paper-tables';

const REFERENCE = `AuroRA r=${PAPER.rank}`;

const experiment = (id: string, name: string): TableExperiment => ({
  ...{ id, name, study: `${id}.aurora.json` },
  columns: [{ id, name, metric: 'accuracy' }],
});

/** The study of docs/studies/demo.md: which rank of LoRA is AuroRA of rank 2 worth? */
export const DEMO_TABLE: PaperTable = {
  name: DEMO,
  title: 'AuroRA and LoRA on two small data sets, USE-lite',
  rows: [
    auroraOfRank(2),
    lora(2, {}, REFERENCE),
    auroraOfRank(4, REFERENCE),
    lora(4, {}, REFERENCE),
    auroraOfRank(8, REFERENCE),
    lora(8, {}, REFERENCE),
    lora(16, {}, REFERENCE),
    { label: 'head only', adapter: HEAD_ALONE, paper: {}, against: REFERENCE },
  ],
  // In five trial runs, LoRA of rank 16 had degraded at 1e-2, and the head alone at 3e-2.
  rates: [1e-3, 3e-3, 1e-2, 3e-2],
  experiments: [
    experiment('debian-sections', 'Debian sections'),
    experiment('spam-assassin', 'SpamAssassin'),
  ],
};
