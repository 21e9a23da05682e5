/** The theme values for a canvas, which cannot read CSS variables. */
export interface ChartColors {
  text: string;
  warning: string;
  grid: string;
  background: string;
  /** CSS font shorthand at 11 px, as canvases expect it. */
  font: string;
  /** As many as SERIES_COLORS. */
  series: string[];
  /** Each one's other shade, for what was measured on the validation data. */
  shades: string[];
}

/**
 * Also the classes `color-0` … and `shade-0` … of charts.css; `followSeries` defines each as `--series-<name>` and
 * `--series-<name>-shade`.
 */
export const SERIES_COLORS = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'] as const;

/** The dashes of everything that was measured on the validation data, whose marks tell runs apart. */
export const VALIDATION_DASH: readonly number[] = [4, 3];

/** On and off, in CSS pixels. Five dashes and six colors distinguish thirty series. */
export const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5]];

export function chartColors(): ChartColors {
  const style = getComputedStyle(document.body);
  const get = (name: string, otherwise: string) =>
    style.getPropertyValue(`--vscode-${name}`).trim() || otherwise;
  const text = get('foreground', style.color);
  return {
    text,
    warning: get('editorWarning-foreground', text),
    grid: get('charts-lines', text),
    background: get('editor-background', 'transparent'),
    font: `11px ${get('font-family', 'sans-serif')}`,
    series: SERIES_COLORS.map((c) => style.getPropertyValue(`--series-${c}`).trim() || text),
    shades: SERIES_COLORS.map((c) => style.getPropertyValue(`--series-${c}-shade`).trim() || text),
  };
}

/** Calls back after the editor's theme has changed; returns a function that stops this. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  return () => observer.disconnect();
}
