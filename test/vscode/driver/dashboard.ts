import type { Frame } from 'playwright-core';
import type { Window } from './window';

/** A run's dashboard at one step, with all digits, read in a single pass. */
export interface Shown {
  step: number;
  values: Record<string, number>;
}

/** A window's run dashboard, read through its visible content. */
export class Dashboard {
  private constructor(
    readonly frame: Frame,
    private readonly window: Window,
  ) {}

  /** The visible dashboard, once it has a first point. */
  static async in(window: Window, limit = 480_000): Promise<Dashboard> {
    for (let tries = 1; ; tries++) {
      const frame = await window.frameWith('aurora-run', limit);
      try {
        await frame.locator('[data-chart="loss"] .readout .value').first().waitFor({ timeout: limit });
        return new Dashboard(frame, window);
      } catch (e) {
        // When a tab moves to the background, its frame is detached, possibly just now.
        if (tries === 3 || !/detached/.test((e as Error).message)) throw e;
      }
    }
  }

  /** The dashboard of exactly these runs. A previous one may stay in front for a moment. */
  static async of(window: Window, runs: readonly string[], limit = 30_000): Promise<Dashboard> {
    const wanted = runs.join();
    for (const end = Date.now() + limit; Date.now() < end; await window.page.waitForTimeout(100)) {
      const dashboard = await Dashboard.in(window, limit);
      const shown = await dashboard.runs().catch(() => []);
      if (shown.join() === wanted) return dashboard;
    }
    throw new Error(`No dashboard of ${wanted} came.`);
  }

  /** Moves the cursor to the newest point and reads every chart's value there. */
  async newest(): Promise<Shown> {
    const slider = this.frame.locator('[data-chart="loss"] [role="slider"]');
    // After a click on a command, the mouse may be over a chart, which would then show the value under it.
    await this.window.page.mouse.move(0, 0);
    await slider.press('End');
    await this.window.page.waitForTimeout(100);
    return this.frame.evaluate(() => {
      const values: Record<string, number> = {};
      for (const chart of document.querySelectorAll<HTMLElement>('[data-chart]')) {
        const exact = chart.querySelector('.readout .value')?.getAttribute('title');
        // The step's value comes first, followed by the smoothed and the validation values.
        if (exact) values[chart.dataset.chart!] = Number(exact.split(' · ')[0]);
      }
      const slider = document.querySelector('[data-chart="loss"] [role="slider"]')!;
      return { step: Number(slider.getAttribute('aria-valuenow')), values };
    });
  }

  /** The number of records in the page. A gap would leave fewer than the number of steps. */
  records(): Promise<number> {
    return this.frame.evaluate(() => {
      const app = document.querySelector('aurora-run') as unknown as { runs: { records: number }[] };
      return app.runs[0].records;
    });
  }

  /** The folders of the overlaid runs. */
  runs(): Promise<string[]> {
    return this.frame.evaluate(() => {
      const app = document.querySelector('aurora-run') as unknown as { runs: { folder: string }[] };
      return app.runs.map((r) => r.folder);
    });
  }

  /** The cells of a table's rows. */
  table(name: string): Promise<string[][]> {
    return this.frame
      .locator(`[data-table="${name}"] tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim())),
      );
  }

  /** True if a chart shows data. A curve leaves colored pixels; axes and grid are gray. */
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
