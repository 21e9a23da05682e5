import type { Frame } from 'playwright-core';
import type { Window } from './window';

/** What a run's dashboard shows at one step, all digits, as read in one go. */
export interface Shown {
  step: number;
  values: Record<string, number>;
}

/** The run dashboard of a window, by what it shows to people. */
export class Dashboard {
  private constructor(
    readonly frame: Frame,
    private readonly window: Window,
  ) {}

  /** The visible one, once it has a first point. */
  static async in(window: Window, limit = 60_000): Promise<Dashboard> {
    for (let tries = 1; ; tries++) {
      const frame = await window.frameWith('aurora-run', limit);
      try {
        await frame.locator('[data-chart="loss"] .readout .value').first().waitFor({ timeout: limit });
        return new Dashboard(frame, window);
      } catch (e) {
        // A tab that goes behind another takes its frame along, maybe just now.
        if (tries === 3 || !/detached/.test((e as Error).message)) throw e;
      }
    }
  }

  /** The one of just these runs: where another was in front, that one may stay for a moment. */
  static async of(window: Window, runs: readonly string[], limit = 30_000): Promise<Dashboard> {
    const wanted = runs.join();
    for (const end = Date.now() + limit; Date.now() < end; await window.page.waitForTimeout(100)) {
      const dashboard = await Dashboard.in(window, limit);
      const shown = await dashboard.runs().catch(() => []);
      if (shown.join() === wanted) return dashboard;
    }
    throw new Error(`No dashboard of ${wanted} came.`);
  }

  /** Walks the cursor to the newest point and reads every chart's value there. */
  async newest(): Promise<Shown> {
    const slider = this.frame.locator('[data-chart="loss"] [role="slider"]');
    // Where a command was clicked the mouse may lie over a chart, which then shows what is under it.
    await this.window.page.mouse.move(0, 0);
    await slider.press('End');
    await this.window.page.waitForTimeout(100);
    return this.frame.evaluate(() => {
      const values: Record<string, number> = {};
      for (const chart of document.querySelectorAll<HTMLElement>('[data-chart]')) {
        const exact = chart.querySelector('.readout .value')?.getAttribute('title');
        // The step's own value comes first; behind it those of smoothing and validation.
        if (exact) values[chart.dataset.chart!] = Number(exact.split(' · ')[0]);
      }
      const slider = document.querySelector('[data-chart="loss"] [role="slider"]')!;
      return { step: Number(slider.getAttribute('aria-valuenow')), values };
    });
  }

  /** How many records the page holds: a gap would leave fewer than there are steps. */
  records(): Promise<number> {
    return this.frame.evaluate(() => {
      const app = document.querySelector('aurora-run') as unknown as { runs: { records: number }[] };
      return app.runs[0].records;
    });
  }

  /** The folders of the runs that are laid over each other. */
  runs(): Promise<string[]> {
    return this.frame.evaluate(() => {
      const app = document.querySelector('aurora-run') as unknown as { runs: { folder: string }[] };
      return app.runs.map((r) => r.folder);
    });
  }

  /** The texts of a table's rows, cell by cell. */
  table(name: string): Promise<string[][]> {
    return this.frame
      .locator(`[data-table="${name}"] tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim())),
      );
  }

  /** Whether something is drawn on a chart: a curve leaves pixels of a colour where axes and grid are grey. */
  inked(chart: string): Promise<boolean> {
    return this.frame
      .locator(`[data-chart="${chart}"] canvas`)
      .first()
      .evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        for (let i = 0; i < data.length; i += 4)
          if (
            data[i + 3] > 128 &&
            Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60
          )
            return true;
        return false;
      });
  }
}
