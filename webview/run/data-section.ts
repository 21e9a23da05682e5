import { nothing } from 'lit';
import { guard } from 'lit/directives/guard.js';
import type { CsvTable } from '../../src/protocol/panels/run';
import { t } from '../../src/base/l10n';
import type { RunData } from './model';
import { dataTable, type DataPlace } from './tables';

/** The data behind the charts, and what the user sees of them. */
export class DataSection {
  private place: DataPlace = { table: 'records', run: 0 };
  private open = false;
  private said = '';

  /** @param changed asks for a new rendering */
  constructor(
    private readonly changed: () => void,
    private readonly copy: (table: CsvTable, run: string) => void,
  ) {}

  copied(rows: number): void {
    this.said = t('Copied {0} rows.', rows);
    this.changed();
  }

  /** @param version of the data */
  render(runs: readonly RunData[], version: number): unknown {
    if (runs.every((r) => r.records === 0)) return nothing;
    const { place, open, said } = this;
    return guard([version, place, open, said], () =>
      dataTable(runs, place, open, said, {
        go: (to) => {
          this.place = to;
          this.changed();
        },
        toggle: (to) => {
          if (to === this.open) return;
          this.open = to;
          this.changed();
        },
        copy: (table, run) => {
          this.said = '';
          this.copy(table, run.folder);
        },
      }),
    );
  }
}
