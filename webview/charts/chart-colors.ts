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

/** WCAG's minimum contrast for a meaningful line. */
const LEAST = 3;

/** Newer high-contrast themes have no orange among their chart colors; every theme has this one. */
const INSTEAD = 'symbolIcon-classForeground';

/** The share of the foreground in a color's other shade. */
const SHADE = 0.5;

type Rgb = readonly [number, number, number];

/**
 * Sets the page's series colors as `--series-blue` … and keeps them up to date: the theme's chart colors, opaque and
 * mixed with its foreground until they have enough contrast. In some themes, orange is nearly the background color.
 */
export function followSeries(): void {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const dress = () => sheet.replaceSync(`body { ${rules()} }`);
  dress();
  onThemeChange(dress);
}

function rules(): string {
  const style = getComputedStyle(document.body);
  const variable = (name: string) => style.getPropertyValue(`--vscode-${name}`).trim();
  const background = opaque(variable('editor-background'));
  const foreground = opaque(variable('foreground'));
  return SERIES_COLORS.map((name) => {
    const own = variable(`charts-${name}`) || variable(INSTEAD);
    const color = standingOut(opaque(own), foreground, background);
    const shade = mixed(color, foreground, SHADE);
    return `--series-${name}: rgb(${color.join(' ')}); --series-${name}-shade: rgb(${shade.join(' ')});`;
  }).join(' ');
}

/** @returns `color`, or the first of its mixtures with `towards` that has enough contrast to `background` */
function standingOut(color: Rgb, towards: Rgb, background: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.1) {
    const found = mixed(color, towards, share);
    if (contrast(found, background) >= LEAST) return found;
  }
  return towards;
}

const mixed = (color: Rgb, towards: Rgb, share: number): Rgb =>
  color.map((v, i) => Math.round(v + share * (towards[i] - v))) as unknown as Rgb;

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Relative luminance as defined by WCAG 2.2. */
function luminance(color: Rgb): number {
  const [r, g, b] = color
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** A CSS color as bytes, without its alpha: the editor's color for a mark may be meant to overlay text. */
function opaque(color: string): Rgb {
  const probe = document.createElement('canvas').getContext('2d')!;
  probe.fillStyle = color;
  // The canvas returns #rrggbb for an opaque color and rgba(r, g, b, a) for any other.
  const said = String(probe.fillStyle);
  const [r, g, b] = said.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(said.slice(at, at + 2), 16))
    : said.match(/[\d.]+/g)!.map(Number);
  return [r, g, b];
}
